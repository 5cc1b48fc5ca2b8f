"""Decoding many image files in processes; the result does not depend on how many there are.

Nothing here may import torch, not even through another module: each process would spend seconds on it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context, parent_process

from ganops.data.decode import decode
from ganops.data.image_format import ImageFormat, Pixels
from ganops.data.listing import Files
from ganops.data.rejection import RefusedError, Rejection
from ganops.errors import DataError

CHUNK = 32  # files a process takes at once
FILES_PER_PROCESS = 256  # fewer are decoded sooner than a process starts
WAITING_CHUNKS = 4  # per process: bounds what lies decoded between the processes


@dataclass(frozen=True)
class Decoded:
    """pixels: (C, H, W) uint8. file_hash: sha256 of the file's bytes. pixel_hash: sha256 of the pixels."""

    pixels: Pixels
    file_hash: bytes
    pixel_hash: bytes


Outcome = tuple[int, Decoded | Rejection]
Chunk = list[tuple[int, str]]


def decode_all(
    files: Files, names: Sequence[str], form: ImageFormat, processes: int | None = None
) -> Iterator[Outcome]:
    """Yield (index into `names`, what became of it) once for each name, in the order in which they get done.

    processes: how many decode; None takes as many as this process may use cores, but none for few files.
    Raises DataError when one of them is killed.
    """
    if processes is None:
        processes = min(_cores(), len(names) // FILES_PER_PROCESS)
    numbered = list(enumerate(names))
    chunks = [numbered[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    if processes <= 1:
        for chunk in chunks:
            yield from _decode_chunk(files, form, chunk)
        return
    # Spawned, not forked: a fork of a process in which torch runs threads may hang.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_start, initargs=(files, form))
    try:
        yield from _feed(pool, chunks, at_once=WAITING_CHUNKS * processes)
    except BrokenProcessPool as error:
        raise DataError(
            "a process that decodes images was killed",
            found="mostly the system does so when the memory is full",
            action="free some memory and run the stage again",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _feed(pool: ProcessPoolExecutor, chunks: list[Chunk], at_once: int) -> Iterator[Outcome]:
    waiting = iter(chunks)
    running: set[Future[list[Outcome]]] = set()
    while True:
        running |= {pool.submit(_work, chunk) for chunk in islice(waiting, at_once - len(running))}
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield from future.result()


def _decode_chunk(files: Files, form: ImageFormat, chunk: Chunk) -> list[Outcome]:
    return [(index, _decode_one(files, form, name)) for index, name in chunk]


def _decode_one(files: Files, form: ImageFormat, name: str) -> Decoded | Rejection:
    try:
        content = files.read(name)
        pixels = decode(content, form)
    except RefusedError as refusal:
        return Rejection(name, refusal.reason, refusal.detail)
    return Decoded(pixels, hashlib.sha256(content).digest(), hashlib.sha256(pixels.tobytes()).digest())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# In each process: what it was started with.
_task: tuple[Files, ImageFormat]


def _start(files: Files, form: ImageFormat) -> None:
    global _task
    _task = files, form
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent alone ends the work
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its processes, and they would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(chunk: Chunk) -> list[Outcome]:
    return _decode_chunk(*_task, chunk)
