"""No more stages at once than there are places, and the machine is shared out evenly."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack

import pytest

from ganops.machine import gpu_ids, places
from ganops.slots import Slots


@pytest.mark.parametrize("count", [1, 3])
def test_no_more_at_once_than_places(count: int) -> None:
    slots, running, most = Slots(count), set[int](), list[int]()

    def work(number: int) -> None:
        with slots.take():
            running.add(number)
            most.append(len(running))
            time.sleep(0.02)
            running.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == count
    assert len(most) == 12


def test_one_place_alone_has_the_whole_machine() -> None:
    with Slots(1, ["a", "b"]).take() as place:
        assert place == {}


@pytest.mark.parametrize(("count", "gpus", "expected"), [(2, "ab", "ab"), (3, "ab", "aba")])
def test_gpus_are_shared_out_in_turn(count: int, gpus: str, expected: str) -> None:
    slots = Slots(count, list(gpus))
    with ExitStack() as stack:
        taken = [stack.enter_context(slots.take()) for _ in range(count)]
    assert [place["CUDA_VISIBLE_DEVICES"] for place in taken] == list(expected)


@pytest.mark.parametrize(
    ("gpus", "processes", "expected"),
    [("abcd", 2, ["a,b", "c,d"]), ("abcdefgh", 4, ["a,b,c,d", "e,f,g,h"]), ("abc", 2, ["a,b"]), ("ab", 4, ["a,b"])],
)
def test_each_training_gets_as_many_gpus_as_it_has_processes(gpus: str, processes: int, expected: list[str]) -> None:
    count = places(list(gpus), processes)
    slots = Slots(max(count, 2), list(gpus), processes)  # one place alone would see the whole machine
    with ExitStack() as stack:
        taken = [stack.enter_context(slots.take()) for _ in range(count)]
    assert [place["CUDA_VISIBLE_DEVICES"] for place in taken] == expected


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("2,0", ["2", "0"]),
        ("", []),
        ("-1", []),
        ("GPU-1a, GPU-2b", ["GPU-1a", "GPU-2b"]),
        ("MIG-1a/2/0,MIG-3c", ["MIG-1a/2/0", "MIG-3c"]),
        ("1,-1,0", ["1"]),
    ],
)
def test_gpus_that_the_user_has_excluded_are_not_used(
    monkeypatch: pytest.MonkeyPatch, visible: str, expected: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_ids() == expected


def test_cores_are_shared_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    with Slots(3).take() as place:
        assert place == {"OMP_NUM_THREADS": "2"}


@pytest.mark.parametrize(
    ("gpus", "cores", "share", "expected"),
    [("", 2, 1, 2), ("", 8, 4, 2), ("", 2, 4, 1), ("ab", 64, 1, 2), ("ab", 64, 2, 1)],
)
def test_as_many_places_as_trainings_keep_the_machine_busy(
    monkeypatch: pytest.MonkeyPatch, gpus: str, cores: int, share: int, expected: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert places(list(gpus), share) == expected


def test_a_failed_stage_gives_its_place_back() -> None:
    slots = Slots(1)
    with pytest.raises(RuntimeError, match="bug"), slots.take():
        raise RuntimeError("bug")
    with slots.take() as place:
        assert place == {}
