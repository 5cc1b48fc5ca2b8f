"""How many stages may run at once, and which GPU each of them gets."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Slots:
    """Places for stages that run at the same time; a place has one of the GPUs where there are any.

    The GPUs are shared out over the places in turn, so that four places on two GPUs put two stages on each.
    """

    def __init__(self, count: int, gpus: Sequence[str] = ()) -> None:
        self._free: queue.Queue[dict[str, str]] = queue.Queue()
        for place in range(count):
            # One place alone sees the whole machine, as a stage does that is run by hand.
            self._free.put(_share_of(place, count, gpus) if count > 1 else {})

    @contextmanager
    def take(self) -> Iterator[dict[str, str]]:
        """Wait for a free place; yields the environment variables that go with it."""
        place = self._free.get()
        try:
            yield place
        finally:
            self._free.put(place)


def _share_of(place: int, count: int, gpus: Sequence[str]) -> dict[str, str]:
    cores = os.cpu_count() or 1
    threads = {"OMP_NUM_THREADS": str(max(1, cores // count))}
    return threads | ({"CUDA_VISIBLE_DEVICES": gpus[place % len(gpus)]} if gpus else {})


def places(gpus: Sequence[str], share: int) -> int:
    """How many stages keep this machine busy, where each training takes `share` GPUs, or cores where there are none."""
    return max(1, (len(gpus) or os.cpu_count() or 1) // share)


def gpu_ids() -> list[str]:
    """The ids of this machine's NVIDIA GPUs, asked of their driver; empty where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=uuid", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - fixed words
    return done.stdout.split() if done.returncode == 0 else []
