"""Perception against distortion: a model that restores images, its baselines, and the ways between them, in one plot.

After Blau & Michaeli 2018, "The Perception-Distortion Tradeoff", arXiv:1711.06077: near the truth pixel by pixel and
hard to tell from real images cannot both be had, so that one number alone says little.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ganops.evaluation.metric import Picture
from ganops.evaluation.metric_names import base_of, describe
from ganops.evaluation.scores import Scores
from ganops.reporting.curves import COLOURS

DISTORTION = "psnr"
PERCEPTION = ("fid", "perceptual_efficientnet-lite0", "perceptual_vgg19")  # the first that was measured
INCHES, DOTS = (6.4, 3.6), 110


def plot_trade_off(rows: Mapping[str, Scores], model: str) -> Picture | None:
    """A point for each row, scores by name, of which `model` is the larger one.

    None where fewer than two rows have both numbers.
    """
    key = _perception_key(rows)
    points = {} if key is None else {name: found for name, row in rows.items() if (found := _point(row, key))}
    if key is None or len(points) < 2:
        return None
    figure = Figure(figsize=INCHES, dpi=DOTS, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panel = figure.subplots()
    for colour, (name, (distortion, perception)) in zip(COLOURS * len(points), points.items(), strict=False):
        panel.plot(distortion, perception, "o", color=colour, markersize=8 if name == model else 6)
        panel.annotate(name, (distortion, perception), xytext=(7, 4), textcoords="offset points", fontsize=8)
    panel.margins(x=0.25, y=0.2)
    panel.invert_xaxis()
    panel.set_xlabel(f"distortion: {describe(DISTORTION).title} in dB, better to the left", fontsize=9)
    panel.set_ylabel(f"perception: {describe(key).title},\nbetter below", fontsize=9)
    panel.grid(alpha=0.25, linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    caption = "Near the truth pixel by pixel (left) and looking like real images (below) pull in different directions."
    return Picture("Perception and distortion", caption, image)


def _perception_key(rows: Mapping[str, Scores]) -> str | None:
    keys = {key for row in rows.values() for key in row}
    return next((key for base in PERCEPTION for key in sorted(keys) if base_of(key) == base), None)


def _point(scores: Scores, perception: str) -> tuple[float, float] | None:
    if DISTORTION not in scores or perception not in scores:
        return None
    return scores[DISTORTION].value, scores[perception].value
