"""How scores are written for people."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, inf, log10

from ganops.errors import SettingsError
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.metric import Metric
from ganops.evaluation.metric_names import describe, in_order
from ganops.evaluation.scores import Scores
from ganops.evaluation.verdict import Verdict, judge

MISSING = "-"
ARROWS: dict[str | None, str] = {"lower": "↓", "higher": "↑", None: ""}


def metrics_of(keys: Iterable[str]) -> list[Metric]:
    """The metrics of these keys in the order of reports; one that is not known here is shown by its key."""
    return [_describe(key) for key in in_order(set(keys))]


def heading(metric: Metric) -> str:
    """The title with an arrow that points to the better side."""
    return f"{metric.title} {ARROWS[metric.better]}".strip()


def show(estimate: Estimate | None) -> str:
    """As many digits as the standard error allows (12.31 ± 0.42), four without one; whole numbers as such."""
    if estimate is None:
        return MISSING
    value, error = estimate.value, estimate.error
    if error is None or error <= 0:
        return f"{value:,.0f}" if value.is_integer() else number(value)
    decimals = max(0, 1 - floor(log10(error)))
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"


def number(value: float) -> str:
    """Four digits: 12.31, 0.002100, 1,234."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.4g}"


def sort_key(metric: Metric, scores: Scores) -> float:
    """The smaller, the better; infinite where the metric is missing or neither side of it is the better one."""
    estimate = scores.get(metric.key)
    if estimate is None or metric.better is None:
        return inf
    return estimate.value if metric.better == "lower" else -estimate.value


def compare(metric: Metric, candidate: Scores, incumbent: Scores) -> Verdict | None:
    """Whether the candidate is better than the incumbent by one metric.

    None where it was not measured of both under one protocol, or where neither side of it is the better one.
    """
    if metric.better is None or not candidate.comparable(incumbent, metric.key):
        return None
    return judge(candidate[metric.key], incumbent[metric.key], better=metric.better)


def _describe(key: str) -> Metric:
    try:
        return describe(key)
    except SettingsError:
        return Metric(key, key.replace("_", " "), None, "")
