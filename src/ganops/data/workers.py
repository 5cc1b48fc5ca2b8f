"""Work on many image files in processes; the result does not depend on how many there are.

Nothing here may import torch, not even through another module: each process would spend seconds on it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from ganops.data.decoders import Decoder
from ganops.data.image_format import Pixels
from ganops.data.listing import Files
from ganops.data.rejection import RefusedError, Rejection
from ganops.errors import DataError

CHUNK = 32  # files a process takes at once
FILES_PER_PROCESS = 256  # fewer are done sooner than a process starts
WAITING_CHUNKS = 4  # per process: bounds the results that wait between the processes

T = TypeVar("T")
Work = Callable[[bytes], T]  # a file's content in, a result out; raises RefusedError. It must be picklable
Chunk = list[tuple[int, str]]


@dataclass(frozen=True)
class Decoded:
    """pictures: what the decoder makes of the file. file_hash: sha256 of its bytes. pixel_hashes: of each picture."""

    pictures: tuple[Pixels, ...]
    file_hash: bytes
    pixel_hashes: tuple[bytes, ...]


def decode_all(
    files: Files, names: Sequence[str], decoder: Decoder, processes: int | None = None
) -> Iterator[tuple[int, Decoded | Rejection]]:
    """`work_all` that decodes each file."""
    return work_all(files, names, partial(_decode, decoder), processes)


def work_all(
    files: Files, names: Sequence[str], work: Work[T], processes: int | None = None
) -> Iterator[tuple[int, T | Rejection]]:
    """Yield (index into `names`, result or rejection) once for each name, in the order in which they finish.

    processes: None takes as many as this process may use cores, but none for few files.
    Raises DataError when one of them is killed.
    """
    if processes is None:
        processes = min(_cores(), len(names) // FILES_PER_PROCESS)
    numbered = list(enumerate(names))
    chunks = [numbered[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    if processes <= 1:
        for chunk in chunks:
            yield from _work_chunk(files, work, chunk)
        return
    # Spawned, not forked: a fork of a process in which torch runs threads may hang.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_start, initargs=(files, work))
    try:
        yield from _feed(pool, chunks, at_once=WAITING_CHUNKS * processes)
    except BrokenProcessPool as error:
        raise DataError(
            "a process that decodes images was killed",
            code="decoder-killed",
            found="usually the system does this when memory is full",
            action="free some memory and run the stage again",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _feed(pool: ProcessPoolExecutor, chunks: list[Chunk], at_once: int) -> Iterator[Any]:
    waiting = iter(chunks)
    running: set[Future[list[Any]]] = set()
    while True:
        running |= {pool.submit(_run, chunk) for chunk in islice(waiting, at_once - len(running))}
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield from future.result()


def _work_chunk(files: Files, work: Work[T], chunk: Chunk) -> list[tuple[int, T | Rejection]]:
    return [(index, _work_one(files, work, name)) for index, name in chunk]


def _work_one(files: Files, work: Work[T], name: str) -> T | Rejection:
    try:
        return work(files.read(name))
    except RefusedError as refusal:
        return Rejection(name, refusal.reason, refusal.detail)


def _decode(decoder: Decoder, content: bytes) -> Decoded:
    pictures = decoder(content)
    pixels = tuple(hashlib.sha256(each.tobytes()).digest() for each in pictures)
    return Decoded(pictures, hashlib.sha256(content).digest(), pixels)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# In each process: what it was started with.
_task: tuple[Files, Work[Any]]


def _start(files: Files, work: Work[Any]) -> None:
    global _task
    _task = files, work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent alone ends the work
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its processes, and they would wait for work forever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(chunk: Chunk) -> list[Any]:
    return _work_chunk(*_task, chunk)
