"""The plot of perception against distortion: which rows are points of it, and when there is one."""

from __future__ import annotations

from ganops.evaluation.estimate import Estimate
from ganops.evaluation.scores import Protocol, Scores
from ganops.reporting.trade_off import plot_trade_off


def scores(**values: float) -> Scores:
    return Scores({key: Estimate(value, 0.0) for key, value in values.items()}, Protocol(), {})


def test_it_needs_two_rows_with_both_numbers() -> None:
    both, one = scores(psnr=29.0, fid_classifier=3.0), scores(psnr=29.0)
    assert plot_trade_off({"srgan": both, "bicubic": one}, "srgan") is None
    assert plot_trade_off({"srgan": one, "bicubic": one}, "srgan") is None
    picture = plot_trade_off({"srgan": both, "bicubic": scores(psnr=27.0, fid_classifier=9.0), "blend": one}, "srgan")
    assert picture is not None
    assert picture.image.width > 500


def test_without_a_frechet_distance_the_perceptual_one_stands_for_it() -> None:
    rows = {name: scores(psnr=29.0 + n, **{"perceptual_efficientnet-lite0": 0.1 * n}) for n, name in enumerate("ab")}
    assert plot_trade_off(rows, "a") is not None
