"""The metric groups: one file of ganops.evaluation.metrics each. Looking one up imports its file and no other."""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from pathlib import Path

import ganops.evaluation.metrics as package
from ganops.errors import SettingsError
from ganops.evaluation.metric import MetricGroup
from ganops.params import EvaluateParams
from ganops.settings import Settings, nearest, validate

WHERE = "evaluate.metrics"
# The order of scores wherever they are listed; all others follow by name.
LEADING = ("fid", "is", "kid", "pairs", "perceptual", "consistency", "prdc")

_GROUP = re.compile(r'\bMetricGroup\(\s*"([^"]+)"')
_METRIC = re.compile(r'\bMetric\(\s*"([^"]+)"')


def group_names() -> list[str]:
    """The names of all groups, in the order in which their scores are listed."""
    names = _files(tuple(package.__path__))[0]
    return sorted(names, key=lambda name: (LEADING.index(name) if name in LEADING else len(LEADING), name))


def find_group(name: str, where: str = WHERE) -> MetricGroup:
    """The group of a name; raises SettingsError naming the nearest for an unknown one."""
    modules, _ = _files(tuple(package.__path__))
    if name not in modules:
        raise SettingsError(
            f"{where}: unknown metric group '{name}'",
            code="unknown-metric-group",
            found=name,
            action=nearest(name, modules),
        )
    group: MetricGroup = importlib.import_module(modules[name]).GROUP
    return group


def module_of_group(name: str) -> str:
    """The module that defines a group, for digests of code."""
    return _files(tuple(package.__path__))[0][name]


def group_of_metric(base: str) -> str | None:
    """The name of the group that measures a metric, given its key without the name of features."""
    return _files(tuple(package.__path__))[1].get(base)


def metric_bases() -> list[str]:
    """The keys of all metrics without the names of features, in the order in which they are listed."""
    groups = group_names()
    owners = _files(tuple(package.__path__))[1]
    return sorted(owners, key=lambda base: groups.index(owners[base]))


def chosen_groups(params: EvaluateParams) -> dict[str, tuple[MetricGroup, Settings]]:
    """The groups that `evaluate.metrics` asks for, each with its checked settings, in the order of their scores.

    Raises SettingsError for an unknown group or key.
    """
    found = {name: find_group(name) for name in params.metrics}
    return {
        name: (found[name], validate(found[name].settings, params.metrics[name], f"{WHERE}.{name}"))
        for name in group_names()
        if name in found
    }


@lru_cache
def _files(folders: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Group name to module, and metric key to group name, read from the text of the files."""
    modules: dict[str, str] = {}
    owners: dict[str, str] = {}
    for file in (file for folder in folders for file in sorted(Path(folder).glob("*.py"))):
        text = file.read_text(encoding="utf-8")
        for name in _GROUP.findall(text):
            modules[name] = f"{package.__name__}.{file.stem}"
            owners |= dict.fromkeys(_METRIC.findall(text), name)
    return modules, owners
