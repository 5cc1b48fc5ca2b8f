# One image for all services of compose.yaml: MLflow's and Prefect's servers, the worker, and `ganops serve`.
# It holds the pinned environment; the worker's checkout is mounted over /work.
FROM python:3.12-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 ganops \
    && mkdir /work && chown ganops /work

USER ganops
WORKDIR /work
COPY --chown=ganops . .
RUN make env EXTRAS="server sign" && rm -rf ~/.cache
ENV PATH=/work/.venv/bin:$PATH
