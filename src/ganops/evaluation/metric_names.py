"""Keys and titles of metrics. `fid`, `is` and `kid` alone are Inception-v3's; other features are part of the name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import get_args

from ganops.errors import SettingsError
from ganops.evaluation.metric import Metric
from ganops.evaluation.metric_groups import find_group, group_of_metric, metric_bases
from ganops.params import FeaturesName
from ganops.settings import nearest

UNNAMED = "inception-v3"  # the features of published numbers
NAMED = tuple(name for name in get_args(FeaturesName) if name not in ("auto", UNNAMED))


def metric_key(base: str, features: str) -> str:
    """The key of a metric measured in `features`: "fid" becomes "fid_classifier"; a full key stays as it is.

    Raises SettingsError for an unknown metric.
    """
    metric = _metric(base)
    if metric is None:
        return describe(base).key
    return f"{base}_{features}" if metric.by_features and features != UNNAMED else base


def describe(key: str) -> Metric:
    """The metric of a key: its title says which features it was measured in, unless they are Inception-v3's.

    The title of a metric of another task than the first, `<task>/<key>`, names the task.
    Raises SettingsError naming the nearest key for an unknown one.
    """
    task, _, own = key.rpartition("/")
    if task:
        found = describe(own)
        return replace(found, key=key, title=f"{found.title}, {task}", headline=False)
    base, features = _split(key)
    metric = _metric(base)
    if metric is not None and not features:
        return metric
    if metric is not None and metric.by_features:
        return replace(metric, key=key, title=f"{metric.title} ({features})")
    raise SettingsError(f"unknown metric '{key}'", code="unknown-metric", found=key, action=nearest(key, _all_keys()))


def base_of(key: str) -> str:
    """The key without the names of the features and of the task."""
    return _split(key.rpartition("/")[2])[0]


def in_order(keys: Iterable[str]) -> list[str]:
    """The keys as reports list them; those of no known metric last."""
    order = {base: place for place, base in enumerate(metric_bases())}
    return sorted(keys, key=lambda key: (order.get(base_of(key), len(order)), key))


def all_metrics() -> dict[str, Metric]:
    """All metrics by their key without the name of features, in the order in which they are listed."""
    groups = dict.fromkeys(group_of_metric(base) or "" for base in metric_bases())
    return {metric.key: metric for group in groups for metric in find_group(group).metrics}


def _metric(base: str) -> Metric | None:
    group = group_of_metric(base)
    if group is None:
        return None
    return next(metric for metric in find_group(group).metrics if metric.key == base)


def _split(key: str) -> tuple[str, str]:
    """The base and the features named in a key; features empty where none are."""
    if group_of_metric(key) is None:
        for features in NAMED:
            if key.endswith(f"_{features}"):
                return key.removesuffix(f"_{features}"), features
    return key, ""


def _all_keys() -> list[str]:
    return [
        key
        for base, metric in all_metrics().items()
        for key in (base, *(f"{base}_{features}" for features in NAMED if metric.by_features))
    ]
