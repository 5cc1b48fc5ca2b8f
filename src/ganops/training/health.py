"""Watching a training for the ways in which GANs fall sick; each watcher is a pure function of what it is shown."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

import torch
from torch import Tensor

HealthProblem = Literal["non-finite", "discriminator-won", "collapse", "oscillation"]

WON_ACCURACY = 0.999  # the discriminator ranks every real image above its fake ...
WON_GRADIENT = 1e-2  # ... and the generator's gradient is this share of what it was in the first rows
USUAL_ROWS = 20
WON_ROWS = 10  # the median of so many rows counts, since single rows flicker
COLLAPSE_DIVERSITY = 0.25  # of the real data's
COLLAPSE_TIMES = 2
OSCILLATION_MOVEMENT = 0.9  # a sample of the same latent differs from its last as much as two samples differ
OSCILLATION_TIMES = 4
WARM_UP = 0.25  # of the budget, and at least so many rounds: before, samples are expected to be poor
WARM_UP_ROUNDS = 300


@dataclass(frozen=True)
class HealthEvent:
    """Something sick was seen: when, what, and the numbers that say so."""

    step: int
    kind: HealthProblem
    detail: str

    def facts(self) -> dict[str, Any]:
        """The event as plain values, for training.json."""
        return asdict(self)


def spread(images: Tensor) -> float:
    """Mean Euclidean distance between different images of (N, C, H, W), in units of one pixel's range 0..255."""
    flat = images.flatten(1).float()
    count = len(flat)
    return float(torch.cdist(flat, flat).sum() / (count * (count - 1)) / math.sqrt(flat.shape[1]))


def movement(before: Tensor, after: Tensor) -> float:
    """Mean Euclidean distance between the images of the same latents at two moments, in the units of `spread`."""
    difference = (after.float() - before.float()).flatten(1)
    return float(difference.norm(dim=1).mean() / math.sqrt(difference.shape[1]))


class Health:
    """All watchers of one training, shown each row of curves and each grid of samples.

    active: what is sick right now. A sickness gives one event when it begins; it may end by itself.
    """

    def __init__(self, real_spread: float, rounds: int) -> None:
        self.real_spread, self.rounds = real_spread, rounds
        self.events: list[HealthEvent] = []
        self.active: set[HealthProblem] = set()
        self._gradients: list[float] = []  # the generator's, of the first rows
        self._recent: list[tuple[float, float]] = []  # accuracy and the generator's gradient of the last rows
        self._collapsed_times = self._moved_times = 0
        self._last_samples: Tensor | None = None

    def see_curves(self, step: int, row: dict[str, float], generator_gradient: float) -> None:
        """Look at one row: finite numbers, and whether the discriminator has won."""
        broken = sorted(name for name, value in row.items() if not math.isfinite(value))
        self._judge(step, "non-finite", bool(broken), f"{', '.join(broken)} is not a finite number")
        if len(self._gradients) < USUAL_ROWS:
            self._gradients.append(generator_gradient)
        usual = median(self._gradients)
        self._recent = [*self._recent, (row.get("accuracy", 0.0), generator_gradient)][-WON_ROWS:]
        accuracy, gradient = (median(values) for values in zip(*self._recent, strict=True))
        won = len(self._recent) == WON_ROWS and accuracy >= WON_ACCURACY and gradient <= WON_GRADIENT * usual
        fall = f"the generator's gradient fell from {usual:.2g} to {gradient:.2g}"
        detail = f"every real image ranks above its fake; {fall}"
        self._judge(step, "discriminator-won", won, detail)

    def see_samples(self, step: int, samples: Tensor) -> None:
        """Look at uint8 samples of the same latents as ever: how much they differ, from each other and from before."""
        diversity = spread(samples) / self.real_spread if self.real_spread else 1.0
        late = step >= max(WARM_UP * self.rounds, WARM_UP_ROUNDS)
        self._collapsed_times = self._collapsed_times + 1 if late and diversity < COLLAPSE_DIVERSITY else 0
        detail = f"samples differ from each other {diversity:.0%} as much as real images do"
        self._judge(step, "collapse", self._collapsed_times >= COLLAPSE_TIMES, detail)
        if self._last_samples is not None:
            moved = movement(self._last_samples, samples) / max(spread(samples), 1e-9)
            self._moved_times = self._moved_times + 1 if late and moved > OSCILLATION_MOVEMENT else 0
            detail = f"the same latents give new images each time (they moved {moved:.0%} of the samples' spread)"
            self._judge(step, "oscillation", self._moved_times >= OSCILLATION_TIMES, detail)
        self._last_samples = samples.clone()

    def see_weights(self, step: int, finite: bool) -> None:
        """Told whether all weights are finite, as found when a checkpoint is due."""
        if not finite:
            self._judge(step, "non-finite", True, "a weight is not a finite number")

    def state(self) -> dict[str, Any]:
        """All memory, for a checkpoint."""
        return {
            "events": [event.facts() for event in self.events],
            "active": sorted(self.active),
            "gradients": self._gradients,
            "recent": self._recent,
            "counts": [self._collapsed_times, self._moved_times],
            "last_samples": self._last_samples,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` gave."""
        self.events = [HealthEvent(**event) for event in state["events"]]
        self.active = set(state["active"])
        self._gradients = state["gradients"]
        self._recent = [(accuracy, gradient) for accuracy, gradient in state["recent"]]
        self._collapsed_times, self._moved_times = state["counts"]
        self._last_samples = state["last_samples"]

    def _judge(self, step: int, kind: HealthProblem, sick: bool, detail: str) -> None:
        if sick and kind not in self.active:
            self.events.append(HealthEvent(step, kind, detail))
        (self.active.add if sick else self.active.discard)(kind)
