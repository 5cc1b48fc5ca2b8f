"""The benchmark of two domains: its table."""

from __future__ import annotations

from benchmarks.unpaired import table
from ganops.evaluation.estimate import Estimate


def test_scores_that_a_row_lacks_are_dashes() -> None:
    fid, cycle = Estimate(2, 0.5), Estimate(0, 0)
    assert table({"identity": {"fid": fid}, "cyclegan": {"fid": fid, "cycle_error": cycle}}).splitlines() == [
        "|  | fid | cycle_error |",
        "| --- | --- | --- |",
        "| identity | 2 ± 0.5 | - |",
        "| cyclegan | 2 ± 0.5 | 0 ± 0 |",
    ]
