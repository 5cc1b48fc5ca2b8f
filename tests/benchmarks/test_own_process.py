"""Sides of a benchmark have processes of their own: settings do not leak, and a death is reported."""

from __future__ import annotations

import os
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

import pytest
from benchmark_sides import counting, dying

from benchmarks.own_process import OwnProcess


def test_each_side_has_a_process_of_its_own() -> None:
    with closing(OwnProcess(1, counting, 10)) as first, closing(OwnProcess(2, counting, 20)) as second:
        assert (first.measure(3), second.measure(4), first.measure(5)) == (13.0, 24.0, 15.0)
        processes, threads = zip(*(side.name.split() for side in (first, second)), strict=True)
        assert len({*processes, str(os.getpid())}) == 3
        assert threads == ("1", "2")


def test_a_side_that_died_is_told_of() -> None:
    with closing(OwnProcess(1, dying)) as side, pytest.raises(BrokenProcessPool):
        side.measure(1)
