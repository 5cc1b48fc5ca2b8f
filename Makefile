# What people and CI do here, one word each: `make` alone lists it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
TOOL := $(BIN)/python -m pipeline
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready

# The first Python on PATH that the pinned packages support; another one: make PYTHON=/path/to/python3 ...
SUPPORTED := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python3.14,\
	$(shell $(p) -c '$(SUPPORTED)' 2>/dev/null && echo $(p))))

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: env env-dev lock
ifdef EXTRAS
export EXTRAS
.PHONY: $(RUN_READY)
endif
env: $(RUN_READY) ## make the environment: .venv with pinned packages; EXTRAS="s3 postgres heif": with these, from then on
env-dev: $(DEV_READY) ## the same plus the tools for tests and checks

$(RUN_READY): requirements/run.txt requirements/uv.txt requirements/install.sh pyproject.toml
	@PYTHON="$(PYTHON)" requirements/install.sh $(VENV) run

$(DEV_READY): requirements/dev.txt requirements/uv.txt requirements/install.sh pyproject.toml
	@PYTHON="$(PYTHON)" requirements/install.sh $(VENV) dev

# Exact versions with hashes, for every platform, without index addresses: where packages come from is the user's setting.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: env-dev ## write requirements/*.txt after a change of pyproject.toml
	$(TOOL) $(COMPILE) pyproject.toml --extra build -o requirements/run.txt
	$(TOOL) $(COMPILE) pyproject.toml --extra build --extra dev -c requirements/run.txt -o requirements/dev.txt
	$(TOOL) $(COMPILE) pyproject.toml --extra export --extra heif --extra hub --extra postgres --extra ray --extra s3 --extra search --extra server --extra sign -c requirements/run.txt -o requirements/extras.txt

.PHONY: run repro plots ui doctor promote rollback serve
# The path goes through the environment, as it is: it may hold spaces, quotes, $$ and =.
ifdef DATA
run: export GANOPS_DATA := $(value DATA)
endif
run: env ## train, score, compare, register and promote, as params.yaml says; DATA=folder-or-zip: your own images
	@if [ -n "$$GANOPS_DATA" ]; then $(BIN)/python -m pipeline.own_data "$$GANOPS_DATA"; fi
	@$(BIN)/python -m pipeline.flows.run

repro: env ## run the same stages by DVC alone: no flow, no promotion
	$(TOOL) dvc repro

plots: env ## draw curves and samples into dvc_plots/index.html, which opens offline
	$(TOOL) dvc plots show

ui: env ## open MLflow's pages on http://127.0.0.1:5000: runs, curves, samples, models
	@$(BIN)/python -m pipeline.ui

doctor: env ## report what this machine has and lacks, and what to do about it
	@$(TOOL) ganops doctor

promote: env ## run the gate: the challenger becomes champion if it is good enough
	@$(TOOL) ganops promote

rollback: env ## make the previous champion champion again
	@$(TOOL) ganops rollback

serve: export GANOPS_MODEL := $(value MODEL)
serve: env ## serve the champion over HTTP, with a page on http://127.0.0.1:8000; MODEL=models:/NAME/3: another one
	@$(TOOL) ganops serve $${GANOPS_MODEL:+"$$GANOPS_MODEL"}

.PHONY: set changes
# As DATA above. Words are split as in a shell: SET="data.path='my images'".
set: export GANOPS_SET := $(value SET)
set: env ## change settings: make set SET="train.budget_scale=2 pipeline/recipes/dcgan.yaml:batch_size=32"
	@$(BIN)/python -m pipeline.set_params

# Both are there for pull requests, hence Markdown. Differences are those between the last commit and the working tree.
changes: env ## what changed in scores and settings, and the outcome of the last run, as Markdown
	@echo "## Scores" && echo && $(TOOL) dvc metrics diff --md
	@echo && echo "## Settings" && echo && $(TOOL) dvc params diff --md
	@echo && echo "## Outcome" && echo && echo '```' && cat results/outcome.txt && echo '```'

.PHONY: server deploy worker spread retrain
server: env ## start Prefect's server and its pages on http://127.0.0.1:4200
	$(TOOL) prefect server start

# The four below talk to the server of `make server`, or to the one that PREFECT_API_URL names.
deploy worker spread: export PREFECT_API_URL ?= http://127.0.0.1:4200/api
deploy: env ## put the deployments of prefect.yaml on the server
	$(TOOL) prefect work-pool create ganops --type process --overwrite
	PWD="$(CURDIR)" $(TOOL) prefect --no-prompt deploy --all

worker: env ## end what dead workers have left, then run what the server schedules, on this machine
	@$(BIN)/python -m pipeline.flows.worker --limit 1

spread: env ## train and score on the workers of all machines, compare and promote here; needs a DVC remote
	@$(BIN)/python -m pipeline.flows.run spread

retrain: env ## pull, train, promote and push once, without a server; PROMOTE=no: judge, and promote nothing
	@$(BIN)/python -m pipeline.flows.run retraining $(if $(filter-out yes,$(PROMOTE)),--no-promote)

.PHONY: test test-fast lint types format tiny soak services-check gpu-check ci
# Two processes on two cores; tests/conftest.py gives each one thread.
TEST := $(TOOL) pytest --numprocesses 2 --dist loadgroup
test: env-dev ## the whole test suite
	$(TEST)

test-fast: env-dev ## the tests that take a few seconds at most
	$(TEST) -m "not slow"

lint: env-dev ## check style and format
	$(TOOL) ruff check .
	$(TOOL) ruff format --check .

types: env-dev ## check types
	$(TOOL) pyrefly check --python-interpreter-path $(BIN)/python

format: env-dev ## correct style and format, as far as ruff can
	$(TOOL) ruff check --fix .
	$(TOOL) ruff format .

tiny: env ## the whole pipeline on tiny settings in build/tiny, twice: the second run must skip all
	@$(BIN)/python tests/tiny.py build/tiny

MINUTES ?= 30
soak: env-dev ## kill and disturb trainings, registry commands and records for half an hour (MINUTES=...): nothing may be lost
	OMP_NUM_THREADS=1 $(BIN)/python tests/soak.py --minutes $(MINUTES)

services-check: env-dev ## the services of compose.yaml without containers, in a minute or two: passwords, host names, a moved store, two clients at once
	$(TOOL) pytest tests/services_check.py

gpu-check: env-dev ## all that only a GPU can show, in nine minutes: tests, resume, graphs, scores, images/s; prints what to send back
	@$(BIN)/python tests/gpu_check.py

ci: test tiny ## all that CI checks; style and types are part of the tests

.PHONY: docs
docs: env-dev ## write docs/reference from the code, and check links, commands and examples of all pages
	$(BIN)/python -m tools.reference
	$(BIN)/python -m tools.check_docs

.PHONY: audit newest
AUDIT := $(BIN)/uvx --quiet
audit: env ## known vulnerabilities of the pinned packages, and unsafe workflows; needs the network
	$(AUDIT) pip-audit@2.10.1 --strict --disable-pip --require-hashes --requirement requirements/run.txt
	$(AUDIT) zizmor@1.32.0 --offline .github

newest: env-dev ## replace the pinned packages by the newest that pyproject.toml allows, to see what breaks
	$(BIN)/uv pip install --quiet --upgrade --editable '.[dev]'

.PHONY: clean distclean
clean: ## remove what tools leave behind; results, models and the environment stay
	rm -rf build dist dvc_plots .hypothesis .pytest_cache .ruff_cache
	find pipeline src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the environment too; results and models stay
	rm -rf $(VENV)
