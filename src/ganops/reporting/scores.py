"""How each score is written, which way it is better, and what it says, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal

MISSING = "-"
SPREAD_SUFFIX = "_std"


@dataclass(frozen=True)
class Score:
    """A score as people read it; `key` is its name in metrics.json."""

    key: str
    label: str
    better: Literal["lower", "higher"] | None
    decimals: int | None
    sentence: str

    @property
    def heading(self) -> str:
        """Label and an arrow that points to where it is better."""
        return f"{self.label} {ARROWS[self.better]}".strip()

    def show(self, scores: Mapping[str, float]) -> str:
        """The value among `scores`, with its standard deviation where there is one; a dash where it is missing."""
        value, spread = scores.get(self.key), scores.get(self.key + SPREAD_SUFFIX)
        if value is None or not isfinite(value):
            return MISSING
        return self.number(value) + (f" ± {self.number(spread)}" if spread is not None and isfinite(spread) else "")

    def number(self, value: float) -> str:
        """A value with as many decimals as this score deserves."""
        return f"{value:.4g}" if self.decimals is None else f"{value:,.{self.decimals}f}"

    def distance_from_best(self, scores: Mapping[str, float]) -> float:
        """A number that sorts: the smaller, the better; infinite for a missing value or a score without a direction."""
        value = scores.get(self.key)
        if value is None or not isfinite(value) or self.better is None:
            return inf
        return value if self.better == "lower" else -value


ARROWS: dict[str | None, str] = {"lower": "↓", "higher": "↑", None: ""}

KNOWN = {
    score.key: score
    for score in (
        Score(
            "fid",
            "FID",
            "lower",
            2,
            "Fréchet distance between the features of real and of generated images: quality and variety in one number, "
            "0 for equal distributions.",
        ),
        Score(
            "is",
            "IS",
            "higher",
            3,
            "Inception score: samples that the classifier is sure of, spread evenly over the classes; from 1 to the "
            "number of classes, and real images are not looked at.",
        ),
        Score(
            "kid",
            "KID",
            "lower",
            5,
            "Kernel distance between the features of real and of generated images: like FID but unbiased, so that few "
            "samples do; around 0, even slightly below, for equal distributions.",
        ),
        Score("precision", "precision", "higher", 3, "Share of the samples that look like some real image: quality."),
        Score("recall", "recall", "higher", 3, "Share of the real images that some sample looks like: variety."),
        Score("density", "density", "higher", 3, "How densely samples lie around real images: quality, robustly."),
        Score("coverage", "coverage", "higher", 3, "Share of the real images with a sample nearby: variety, robustly."),
    )
}


def describe(key: str) -> Score:
    """The score called `key` in metrics.json; one not known here goes by its key and has no direction."""
    return KNOWN.get(key) or Score(key, key.replace("_", " "), None, None, "")


def in_order(keys: set[str]) -> list[Score]:
    """The scores of these keys: the known ones first, then the others by name; spreads belong to their score."""
    shown = {key for key in keys if not (key.endswith(SPREAD_SUFFIX) and key.removesuffix(SPREAD_SUFFIX) in keys)}
    return [KNOWN[key] for key in KNOWN if key in shown] + [describe(key) for key in sorted(shown - KNOWN.keys())]
