"""Both sides of the throughput benchmark take the steps they are asked for, and return the rate."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from evaluated_home import make_home

from benchmarks.train_throughput import ours, tutorial
from ganops.params import TrainParams


@pytest.mark.parametrize("side", ["ours", "loader", "memory"])
def test_the_rate_is_that_of_the_steps_asked_for(side: str, tmp_path: Path) -> None:
    make_home(tmp_path)
    prepared = tmp_path / "data" / "prepared"
    if side == "ours":
        measure, name = ours("mlp", prepared, TrainParams(precision="float32", compile="never"))
        assert name == "float32"
    else:
        measure, name = tutorial("mlp", prepared, side, 0)
        assert name == side
    begin = time.perf_counter()
    rate = measure(6)
    seconds = time.perf_counter() - begin
    # Six steps of 64 images, in less than the time that passed around them; how much less depends on the machine.
    assert rate > 6 * 64 / seconds
