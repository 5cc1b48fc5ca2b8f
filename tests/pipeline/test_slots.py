"""No more stages at once than there are places, and GPUs are shared out evenly."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from pipeline.flows.slots import Slots


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


@pytest.mark.parametrize(
    ("count", "gpus", "expected"),
    [
        (1, ["a", "b"], [{}]),
        (2, [], [{}, {}]),
        (2, ["a", "b"], [{"CUDA_VISIBLE_DEVICES": "a"}, {"CUDA_VISIBLE_DEVICES": "b"}]),
        (3, ["a", "b"], [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in "aba"]),
    ],
)
def test_gpus_are_shared_out_in_turn(count: int, gpus: list[str], expected: list[dict[str, str]]) -> None:
    slots = Slots(count, gpus)
    with ExitStack() as stack:
        assert [stack.enter_context(slots.take()) for _ in range(count)] == expected


def test_a_failed_stage_gives_its_place_back() -> None:
    slots = Slots(1)
    with pytest.raises(RuntimeError, match="bug"), slots.take():
        raise RuntimeError("bug")
    with slots.take() as place:
        assert place == {}
