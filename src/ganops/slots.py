"""How many trainings may run at once, and which GPUs each of them gets."""

from __future__ import annotations

import os
import queue
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from ganops.machine import VISIBLE


class Slots:
    """Places for trainings that run at the same time; a place has as many GPUs as a training asks for.

    per_place: GPUs of each place. The GPUs are dealt out over the places in turn, so that four places of one GPU on two
    GPUs put two stages on each.
    """

    def __init__(self, count: int, gpus: Sequence[str] = (), per_place: int = 1) -> None:
        self._free: queue.Queue[dict[str, str]] = queue.Queue()
        for place in range(count):
            # One place alone sees the whole machine, as a stage does that is run by hand.
            self._free.put(_share_of(place, count, gpus, per_place) if count > 1 else {})

    @contextmanager
    def take(self) -> Generator[dict[str, str]]:
        """Wait for a free place; yields the environment variables that go with it."""
        place = self._free.get()
        try:
            yield place
        finally:
            self._free.put(place)


def _share_of(place: int, count: int, gpus: Sequence[str], per_place: int) -> dict[str, str]:
    cores = os.cpu_count() or 1
    threads = {"OMP_NUM_THREADS": str(max(1, cores // count))}
    if not gpus:
        return threads
    own = [gpus[(place * per_place + offset) % len(gpus)] for offset in range(min(per_place, len(gpus)))]
    return threads | {VISIBLE: ",".join(own)}
