"""The pictures of a search: values over time, importance of parameters, parallel coordinates, quality against speed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from math import log10
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from ganops.evaluation.metric import Metric
from ganops.reporting.curves import BROKEN_MARK, COLOURS
from ganops.search.space import Parameter
from ganops.search.study import Trial

BLUE, ORANGE = COLOURS[:2]
GREY = "#9aa3ae"
LABEL = {"fc": "white", "ec": "none", "pad": 0.6}  # behind a text that stands on lines
FADED = {"color": GREY, "linewidth": 0.7, "alpha": 0.5}
COLOUR_MAPS = {"lower": "viridis", "higher": "viridis_r"}  # dark is good, whichever side is better


def history(trials: Sequence[Trial], metric: Metric) -> Image.Image:
    """The value of each trial in the order of proposals, and the best so far."""
    figure, axes = _figure(7.6, 3.2)
    complete = [trial for trial in trials if trial.value is not None]
    best = np.minimum if metric.better == "lower" else np.maximum
    numbers, values = _columns([(trial.number, trial.value) for trial in complete])
    axes.step(numbers, best.accumulate(values), where="post", color=BLUE, linewidth=1.4, label="best so far")
    axes.plot(numbers, values, "o", color=BLUE, markersize=4, label="trial")
    pruned = [trial for trial in trials if trial.state == "pruned" and trial.reports]
    places, last = _columns([(trial.number, trial.reports[max(trial.reports)]) for trial in pruned])
    low, high = _fit(axes.set_ylim, [*values, *last])
    shown = (low <= last) & (last <= high)
    if shown.any():
        axes.plot(places[shown], last[shown], "x", color=GREY, markersize=5, label="pruned, its last value")
    if not shown.all():
        edge = np.where(last[~shown] > high, 0.97, 0.03)
        style = {"color": GREY, "markersize": 5, "transform": axes.get_xaxis_transform()}
        axes.plot(places[~shown], edge, "d", label="pruned, far outside", **style)
    if failed := [trial.number for trial in trials if trial.state == "failed"]:
        foot = axes.get_xaxis_transform()
        axes.plot(failed, [0.03] * len(failed), "|", transform=foot, label="failed or unhealthy", **BROKEN_MARK)
    axes.set_xlabel("trial")
    axes.set_ylabel(metric.title)
    axes.legend(fontsize=8, frameon=False)
    return _image(figure)


def importance(shares: Mapping[str, float]) -> Image.Image:
    """How much of the metric's variation each parameter explains."""
    figure, axes = _figure(7.6, 0.5 + 0.34 * len(shares))
    names = sorted(shares, key=shares.__getitem__)
    bars = axes.barh(names, [shares[name] for name in names], color=BLUE, height=0.6)
    axes.bar_label(bars, [f"{shares[name]:.0%}" for name in names], padding=4, fontsize=8)
    axes.set_xlim(0, max(shares.values()) * 1.15)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)
    return _image(figure)


def parallel_coordinates(trials: Sequence[Trial], space: Mapping[str, Parameter], metric: Metric) -> Image.Image:
    """Each trial as a line through its parameters, coloured by its value; pruned ones are grey."""
    figure, axes = _figure(1.5 * (len(space) + 1), 4.6)
    complete = [trial for trial in trials if trial.value is not None]
    low, high = _fit(lambda *_: None, [trial.value for trial in complete if trial.value is not None])
    for trial in trials:
        if trial.state == "pruned":
            axes.plot([_height(each, trial.values[key]) for key, each in space.items()], **FADED)
    norm = Normalize(low, high)
    palette = ScalarMappable(norm, COLOUR_MAPS[metric.better or "lower"])
    for trial in sorted(complete, key=lambda trial: trial.value or 0.0, reverse=metric.better == "lower"):
        assert trial.value is not None
        shown = min(max(trial.value, low), high)
        heights = [_height(each, trial.values[key]) for key, each in space.items()]
        axes.plot([*heights, float(norm(shown))], color=palette.to_rgba(np.asarray(shown)), linewidth=1.3, alpha=0.85)
    for place, (key, parameter) in enumerate(space.items()):
        axes.axvline(place, color="#1c2024", linewidth=0.8)
        for label, height in _ticks(parameter):
            axes.text(place + 0.03, height, label, fontsize=7, va="center", bbox=LABEL)
        axes.text(place, 1.06, _short(key), fontsize=8, ha="center", va="bottom")
    axes.axvline(len(space), color="#1c2024", linewidth=0.8)
    for share in (0.0, 0.5, 1.0):
        axes.text(len(space) + 0.03, share, f"{low + share * (high - low):.3g}", fontsize=7, va="center")
    axes.text(len(space), 1.06, metric.title.replace(" (", "\n("), fontsize=8, ha="center", va="bottom")
    axes.set_xlim(-0.1, len(space) + 0.45)
    axes.set_ylim(-0.04, 1.04)
    axes.axis("off")
    return _image(figure)


def front(trials: Sequence[Trial], metric: Metric, named: Mapping[int, str]) -> Image.Image:
    """Value against training speed; the line joins the trials that none beats in both. named: numbers with a label."""
    figure, axes = _figure(7.6, 4.0)
    points = [trial for trial in trials if trial.value is not None and trial.images_per_second is not None]
    speeds, values = _columns([(trial.images_per_second, trial.value) for trial in points])
    axes.plot(speeds, values, "o", color=GREY, markersize=4.5, label="trial")
    best = pareto(points, metric)
    axes.step(
        *_columns([(trial.images_per_second, trial.value) for trial in best]),
        where="pre",
        **{"marker": "o", "color": BLUE, "linewidth": 1.4, "markersize": 5, "label": "not beaten in both"},
    )
    for trial in points:
        if trial.number in named and trial.value is not None:
            place = (trial.images_per_second, trial.value)
            axes.plot(*place, "o", color=ORANGE, markersize=7, zorder=5)
            axes.annotate(
                named[trial.number], place, (6, 6), textcoords="offset points", fontsize=8, bbox=LABEL, zorder=6
            )
    _fit(axes.set_ylim, [*values])
    axes.set_xlabel("images/s in training")
    axes.set_ylabel(metric.title)
    axes.legend(fontsize=8, frameon=False)
    return _image(figure)


def pareto(trials: Sequence[Trial], metric: Metric) -> list[Trial]:
    """The trials that no other beats in both value and speed, from the slowest to the fastest."""
    found: list[Trial] = []
    for trial in sorted(trials, key=lambda trial: -(trial.images_per_second or 0.0)):
        assert trial.value is not None
        leader = found[-1].value if found else None
        if leader is None or (trial.value < leader if metric.better == "lower" else trial.value > leader):
            found.append(trial)
    return found[::-1]


def _height(parameter: Parameter, value: Any) -> float:
    """Where a value stands on its axis, in [0, 1]."""
    if parameter.choices is not None:
        kept = [json.dumps(choice) for choice in parameter.choices]
        return kept.index(json.dumps(value)) / (len(kept) - 1)
    low, high = parameter.range
    if parameter.log:
        return log10(value / low) / log10(high / low)
    return float((value - low) / (high - low))


def _ticks(parameter: Parameter) -> list[tuple[str, float]]:
    if parameter.choices is not None:
        return [(_word(choice), _height(parameter, choice)) for choice in parameter.choices]
    return [(f"{value:g}", _height(parameter, value)) for value in parameter.range]


def _word(choice: Any) -> str:
    return ", ".join(map(str, choice)) if isinstance(choice, (list, tuple)) else str(choice)


def _short(key: str) -> str:
    """A key over several lines, its last part first."""
    *sections, last = key.split(".")
    return "\n".join([last, *reversed(sections)][:3])


def _columns(points: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    array = np.array(points, dtype=np.float64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def _fit(limit: Callable[[float, float], object], values: Sequence[float]) -> tuple[float, float]:
    """The range without the worst outliers, which would flatten the rest. `limit` is given it with a margin."""
    if not values:
        return 0.0, 1.0
    quarter, three = np.quantile(values, (0.25, 0.75))
    reach = 3 * (three - quarter)
    inside = [value for value in values if quarter - reach <= value <= three + reach]
    low, high = min(inside), max(inside)
    if low == high:
        low, high = low - 0.5, high + 0.5
    margin = 0.06 * (high - low)
    limit(low - margin, high + margin)
    return float(low), float(high)


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def _image(figure: Figure) -> Image.Image:
    file = BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return Image.open(file)
