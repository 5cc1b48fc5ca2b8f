"""The one thread that computes on a device: it takes rows of several requests together, up to a full batch."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import torch

from ganops.data.rows import Rows, concatenate
from ganops.serving.metrics import ServiceMetrics
from ganops.serving.served import Served
from ganops.serving.sizes import padded, smallest_fit

LOGGER = logging.getLogger(__name__)


@dataclass(eq=False)
class Work:
    """Rows that one request asks for.

    rows: modelled inputs and latents, on the CPU. result: the stored outputs of all rows; whoever cancels it takes the
    rows that are left out of the queue.
    """

    served: Served
    task: str
    truncation: float | None
    rows: Rows
    result: Future[Rows] = field(default_factory=Future)
    taken: int = 0
    outputs: list[Rows] = field(default_factory=list)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Rows that may be computed at once."""
        return self.served.sizes[self.task]

    @property
    def left(self) -> int:
        """Rows that no batch has taken yet."""
        return len(self.rows) - self.taken

    def fits(self, other: Work) -> bool:
        """Whether rows of both can be computed together."""
        return (self.served, self.task, self.truncation) == (other.served, other.task, other.truncation)

    def take(self, most: int) -> Rows:
        """The next rows, `most` of them or what is left."""
        piece = self.rows.select(slice(self.taken, self.taken + most))
        self.taken += len(piece)
        return piece

    def add(self, outputs: Rows) -> None:
        """Keep the outputs of the rows that were taken next; with the last of them the result is there."""
        self.outputs.append(outputs)
        if sum(map(len, self.outputs)) == len(self.rows) and self.result.set_running_or_notify_cancel():
            self.result.set_result(concatenate(self.outputs))

    def fail(self, error: Exception) -> None:
        """End with an error."""
        if self.result.set_running_or_notify_cancel():
            self.result.set_exception(error)


class ComputeThread:
    """Computes what is submitted until it is closed. Requests take turns, so that a large one does not hold up others.

    threads: of torch, for this thread alone.
    """

    def __init__(self, metrics: ServiceMetrics, threads: int) -> None:
        self._metrics, self._threads = metrics, threads
        self._waiting: deque[Work] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="compute", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Queue some work; its result comes through `work.result`."""
        with self._changed:
            self._waiting.append(work)
            self._changed.notify()

    def close(self) -> None:
        """End when the batch at hand is done; work that waits is cancelled."""
        with self._changed:
            self._closed = True
            for work in self._waiting:
                work.result.cancel()
            self._waiting.clear()
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        torch.set_num_threads(self._threads)
        while (batch := self._next()) is not None:
            try:
                self._compute(batch)
            except Exception as error:  # whatever a model does must not end the thread that serves all others
                LOGGER.exception("a batch failed")
                for work, _ in batch:
                    work.fail(error)

    def _next(self) -> list[tuple[Work, Rows]] | None:
        """The rows of the next batch and whose they are; waits for work. None: the thread is to end."""
        with self._changed:
            while not self._closed:
                if batch := self._take():
                    return batch
                self._changed.wait()
        return None

    def _take(self) -> list[tuple[Work, Rows]]:
        """Rows of the first work and of all that fits to it; work that has rows left goes to the end of the queue."""
        batch: list[tuple[Work, Rows]] = []
        others: list[Work] = []
        room = 1
        while self._waiting and room:
            work = self._waiting.popleft()
            if work.result.done():  # cancelled: nobody waits for it
                self._metrics.dropped.inc(work.left)
            elif batch and not work.fits(batch[0][0]):
                others.append(work)
            else:
                room = room if batch else work.sizes[-1]
                batch.append((work, work.take(room)))
                room -= len(batch[-1][1])
        self._waiting.extendleft(reversed(others))
        self._waiting.extend(work for work, _ in batch if work.left)
        return batch

    def _compute(self, batch: Sequence[tuple[Work, Rows]]) -> None:
        first = batch[0][0]
        rows = concatenate([piece for _, piece in batch])
        size = smallest_fit(first.sizes, len(rows))
        begin = time.perf_counter()
        outputs = first.served.compute(padded(rows, size), first.task, first.truncation)
        self._metrics.batch_seconds.observe(time.perf_counter() - begin)
        self._metrics.batch_rows.observe(len(rows))
        start = 0
        for work, piece in batch:
            work.add(outputs.select(slice(start, start + len(piece))))
            start += len(piece)
