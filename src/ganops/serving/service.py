"""The service itself: it admits a request, prepares its rows, has them computed and encodes the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch

from ganops.data.rows import Rows
from ganops.errors import GanopsError
from ganops.serving.admission import Admission, Ending
from ganops.serving.answer import Answer, answer
from ganops.serving.compute import ComputeThread, Work
from ganops.serving.follow import Models
from ganops.serving.metrics import ServiceMetrics
from ganops.serving.refusals import ServiceError
from ganops.serving.request import GenerateRequest, prepare
from ganops.serving.served import Served
from ganops.serving.settings import ServiceSettings

T = TypeVar("T")
FEW = 4 * 32 * 32 * 3  # numbers of outputs that are prepared and encoded within a millisecond or two
MOST_NUMBERS = 64 * 1024 * 1024 * 3  # in the outputs of one request: 64 colour images of 1024 x 1024, 0.2 GB
PATIENT = 0.5  # share of the deadline that a request may have to wait: all large ones take turns, and end near its end


class DeadlineError(GanopsError):
    """A request was given up because its time was over."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the request was not answered within {seconds:g} seconds",
            code="deadline",
            action="ask for fewer images, or again later",
        )


class ClientGoneError(Exception):
    """The client closed the connection before its answer was there."""


class Service:
    """What stands behind the HTTP routes; `start` loads the models, `close` ends all threads."""

    def __init__(self, address: str, device: torch.device, settings: ServiceSettings) -> None:
        self.settings = settings
        self.admission = Admission(settings.backlog, PATIENT * settings.deadline_seconds, rate=1.0)
        self.metrics = ServiceMetrics(lambda: self.admission.inside, lambda: self.admission.rate)
        self.models = Models(address, device, settings, self.metrics)
        self._compute = ComputeThread(self.metrics, settings.compute_threads)
        self._pool = ThreadPoolExecutor(settings.encoders, "encode", _alone)

    def start(self) -> None:
        """Load and test the model; raises GanopsError where that fails."""
        self.models.start()
        self.admission.rate = self.models.get().rate

    def close(self) -> None:
        """Stop following and computing."""
        self.models.close()
        self._compute.close()
        self._pool.shutdown(cancel_futures=True)

    async def generate(self, request: GenerateRequest, gone: Callable[[], Awaitable[Any]]) -> tuple[Served, Answer]:
        """Answer a request.

        gone: returns when the client has closed the connection. Raises ServiceError for too many images, BusyError,
        DeadlineError, ClientGoneError, and GanopsError for a request that the model cannot answer.
        """
        served = self.models.get(request.model)
        most = min(self.settings.largest_request, max(1, MOST_NUMBERS // served.numbers(request.task)))
        if request.n > most:
            raise ServiceError(
                "one request may not ask for so many images",
                code="too-many",
                expected=f"1 to {most:,}",
                found=f"{request.n:,}",
                action="ask several times, with other seeds",
            )
        self.admission.enter(request.n)
        ending: Ending = "dropped"
        begin = time.perf_counter()
        work = asyncio.ensure_future(self._answer(served, request))
        left = asyncio.ensure_future(gone())
        try:
            done, _ = await asyncio.wait(
                (work, left), timeout=self.settings.deadline_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if work in done:
                ending = "answered" if work.exception() is None else "dropped"
                return served, work.result()
            if left in done:
                raise ClientGoneError
            ending = "late"
            raise DeadlineError(self.settings.deadline_seconds)
        finally:
            work.cancel()
            left.cancel()
            self.admission.leave(request.n, ending)
            if ending == "answered":
                self.metrics.images.labels(served.name).inc(request.n)
                self.metrics.seconds.observe(time.perf_counter() - begin)

    async def _answer(self, served: Served, request: GenerateRequest) -> Answer:
        few = not request.inputs and request.n * served.numbers(request.task) <= FEW
        prepared = await self._off_loop(lambda: prepare(served, request, self.settings.picture_pixels), few)
        work = Work(served, prepared.task_name, request.truncation, prepared.rows)
        self._compute.submit(work)
        rows: Rows = await asyncio.wrap_future(work.result)
        return await self._off_loop(lambda: answer(served, request, prepared, rows), few)

    async def _off_loop(self, call: Callable[[], T], few: bool) -> T:
        """Run in the pool; for few images the way to another thread and back would take longer than the call."""
        return call() if few else await asyncio.get_running_loop().run_in_executor(self._pool, call)


def _alone() -> None:
    """Threads that decode and encode use one core each, whatever torch is set to."""
    torch.set_num_threads(1)
