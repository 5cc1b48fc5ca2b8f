"""Curves of a training as small multiples over the thousands of images shown."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ganops.atomic import atomic_path
from ganops.errors import EvaluationError

# Okabe and Ito (2008): distinguishable for colour-blind people; without yellow, which is hard to see on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BROKEN_COLOUR = "#C1121F"
BROKEN_MARK = {"color": BROKEN_COLOUR, "markersize": 9, "markeredgewidth": 2.0}
SMOOTHED_SHARE = 0.03
PANEL_INCHES = (4.2, 2.5)
MAX_PANEL_COLUMNS = 3
TITLE = {"fontsize": 10, "loc": "left"}
FEW_POINTS = 40
OUTLIER_FACTOR = 4.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """values (points,) at kimg (points,); a curve need not have a point in every row."""

    kimg: Floats
    values: Floats


def read_history(path: Path) -> dict[str, Curve]:
    """Each curve of a history.csv; an empty field is not a point.

    Raises EvaluationError when the file is missing, has no kimg column or no rows, or a field is not a number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise EvaluationError(f"{path} is missing", code="missing-file", action="train the recipe: dvc repro") from None
    if not rows or "kimg" not in rows[0]:
        raise EvaluationError(
            f"{path} holds no curves", code="no-curves", expected="columns step, kimg and the curves; at least one row"
        )
    try:
        return {
            name: _curve([(row["kimg"], row[name]) for row in rows if row[name] != ""])
            for name in rows[0]
            if name not in ("step", "kimg")
        }
    except (TypeError, ValueError) as error:
        raise EvaluationError(
            f"{path} is damaged", code="damaged-file", expected="a number in each field", found=str(error)
        ) from error


def _curve(points: list[tuple[str, str]]) -> Curve:
    numbers = np.array([(float(kimg), float(value)) for kimg, value in points], dtype=np.float64).reshape(-1, 2)
    return Curve(numbers[:, 0], numbers[:, 1])


def panels(names: list[str]) -> dict[str, list[str]]:
    """Which curves share a panel: the same term of different players, all of D's outputs, all penalties.

    Losses come first, then D's outputs, penalties, and the rest in the order of the names.
    """
    grouped: dict[str, list[str]] = {"loss": [], "discriminator output": [], "penalty": []}
    for name in names:
        term = name if name.startswith("val/") else name.rsplit("/", 1)[-1]
        if term.startswith("D("):
            term = "discriminator output"
        elif "penalty" in term:
            term = "penalty"
        grouped.setdefault(term, []).append(name)
    grouped["discriminator output"].sort(key=len)  # D(x) first: blue is the discriminator's side in every panel
    return {title: curves for title, curves in grouped.items() if curves}


def smooth(values: Floats) -> Floats:
    """A centred moving average over 3 % of the points, of the finite values only; NaN where there are none."""
    if not len(values):
        return values
    radius = int(len(values) * SMOOTHED_SHARE / 2)
    finite = np.isfinite(values)
    window = np.ones(2 * radius + 1)
    known = np.convolve(finite, window)[radius : radius + len(values)]
    sums = np.convolve(np.where(finite, values, 0.0), window)[radius : radius + len(values)]
    return np.where(known > 0.5, sums / np.maximum(known, 1.0), np.nan)


def plot_curves(history_csv: Path, out: Path) -> None:
    """Draw every curve of history.csv (step, kimg, then the curves) into the PNG file `out`.

    Each panel shows the smoothed curve with the raw one behind it. Red marks at the foot of a panel stand for rows that
    are NaN or infinite. Raises EvaluationError when the file is missing or damaged.
    """
    curves = read_history(history_csv)
    grouped = panels(list(curves))
    if not grouped:
        raise EvaluationError(
            f"{history_csv} holds no curves", code="no-curves", expected="at least one column besides step and kimg"
        )
    columns = 2 if len(grouped) == 4 else min(len(grouped), MAX_PANEL_COLUMNS)
    rows = ceil(len(grouped) / columns)
    figure = Figure(figsize=(PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows + 0.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, (title, names) in zip(axes, grouped.items(), strict=False):
        _draw(panel, title, {name: curves[name] for name in names})
    for panel in axes[len(grouped) :]:
        panel.set_visible(False)
    for panel in axes[max(0, len(grouped) - columns) : len(grouped)]:
        panel.set_xlabel("thousands of real images shown (kimg)", fontsize=8)
    with atomic_path(out) as temporary:
        figure.savefig(temporary, format="png")


def _draw(panel: Any, title: str, curves: dict[str, Curve]) -> None:
    for index, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[index % len(COLOURS)]
        shown = np.where(np.isfinite(curve.values), curve.values, np.nan)
        # Few points get markers: a single point, or one between two NaN, has no line.
        style = ".-" if len(shown) <= FEW_POINTS else "-"
        panel.plot(curve.kimg, shown, style, color=colour, alpha=0.25, linewidth=0.8)
        smoothed, label = smooth(curve.values), name.removesuffix(f"/{title}")
        panel.plot(curve.kimg, smoothed, "o" if len(shown) == 1 else "-", color=colour, linewidth=1.6, label=label)
    broken = np.unique(np.concatenate([curve.kimg[~np.isfinite(curve.values)] for curve in curves.values()]))
    if broken.size:
        foot = panel.get_xaxis_transform()
        panel.plot(broken, np.full(broken.size, 0.03), "|", transform=foot, label="not a finite number", **BROKEN_MARK)
    beyond = _cut_outliers(panel, np.concatenate([curve.values for curve in curves.values()]))
    title_words = title.replace("val/", "validation ", 1).replace("_", " ")
    panel.set_title(title_words + (f"  ({beyond} outliers not shown)" if beyond else ""), **TITLE)
    panel.xaxis.set_major_locator(MaxNLocator(5))
    panel.grid(alpha=0.25, linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)
    if [*curves] != [title] or broken.size:
        panel.legend(fontsize=7.5, frameon=False, loc="best")


def _cut_outliers(panel: Any, values: Floats) -> int:
    """Fit the panel to the middle 98 % of the values where a few extreme ones would flatten the rest.

    Returns how many values are outside of it.
    """
    values = values[np.isfinite(values)]
    if values.size < FEW_POINTS:
        return 0
    low, high = np.quantile(values, (0.01, 0.99))
    margin = 0.15 * (high - low)
    low, high = low - margin, high + margin
    beyond = int(((values < low) | (values > high)).sum())
    if np.ptp(values) < OUTLIER_FACTOR * (high - low) or low == high:
        return 0
    panel.set_ylim(low, high)
    return beyond
