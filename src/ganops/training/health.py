"""Detects the ways in which GAN training fails; each check is a pure function of the curves and samples it is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

import torch
from torch import Tensor

from ganops.data.fields.field import Field

HealthProblem = Literal[
    "non-finite", "discriminator-won", "collapse", "oscillation", "source-ignored", "colours-inverted"
]

ACTIONS: dict[HealthProblem, str] = {
    "non-finite": "lower the learning rates, or set train.precision: float32",
    "discriminator-won": "lower the discriminator's learning rate, add a penalty, or take another loss",
    "collapse": "lower the generator's learning rate, or take a recipe that covers modes (pacgan, r3gan)",
    "oscillation": "lower the learning rates, or average the generator over more images (ema)",
    "source-ignored": "raise what ties outputs to sources (l1_weight, cycle_weight, nce_weight), or lower the learning"
    " rate of the discriminator",
    "colours-inverted": "set game.identity_weight (or nce_identity), or start again with another seed",
}

WON_ACCURACY = 0.999  # the discriminator ranks every real image above its fake ...
WON_GRADIENT = 1e-2  # ... and the generator's gradient is this share of what it was in the first rows
USUAL_ROWS = 20
WON_ROWS = 10  # the median of so many rows counts, since single rows fluctuate
COLLAPSE_DIVERSITY = 0.25  # of the real data's
COLLAPSE_TIMES = 2
OSCILLATION_MOVEMENT = 0.9  # a sample differs from the previous one of the same latent as two samples differ
OSCILLATION_TIMES = 4
IGNORED_MOVEMENT = 0.05  # of the real data's spread, when every source is exchanged for another one
IGNORED_TIMES = 2
INVERTED_CORRELATION = -0.2  # of outputs with their sources; and so far below that of real data:
INVERTED_FALL = 0.4
INVERTED_TIMES = 2
WARM_UP = 0.25  # of the budget, and at least so many steps: before that, poor samples are expected
WARM_UP_STEPS = 300


@dataclass(frozen=True)
class HealthEvent:
    """A problem that was detected: when, which, the numbers behind it, and what a person can do."""

    step: int
    kind: HealthProblem
    detail: str
    action: str = ""

    def facts(self) -> dict[str, Any]:
        """The event as plain values, for training.json."""
        return asdict(self)


@dataclass(frozen=True)
class Translations:
    """How the outputs of one task hang together with their sources.

    follows: how far outputs move when every source is exchanged for another one, in units of the real outputs' spread.
    correlation: mean over images of the correlation of output and source. real_correlation: what is usual.
    """

    task: str
    follows: float
    correlation: float
    real_correlation: float


def spread(rows: Tensor) -> float:
    """Mean distance between different rows of (N, ...), at least two, divided by the root of the numbers in a row."""
    flat = rows.reshape(len(rows), -1).float()
    count = len(flat)
    return float(torch.cdist(flat, flat).sum() / (count * (count - 1)) / math.sqrt(flat.shape[1]))


def movement(before: Tensor, after: Tensor) -> float:
    """Mean Euclidean distance between the outputs for the same latents at two moments, in the units of `spread`."""
    difference = (after.float() - before.float()).reshape(len(after), -1)
    return float(difference.norm(dim=1).mean() / math.sqrt(difference.shape[1]))


class Health:
    """All checks of one training, given each row of curves and each grid of samples.

    field: of the samples. real_spread: `spread` of real rows of this field, modelled; 0 where there are none.
    steps: of the whole training. active: the problems of this moment. A problem gives one event when it begins; it may
    end by itself. healthy_step: the last one whose samples gave no reason to suspect any.
    """

    def __init__(self, field: Field, real_spread: float, steps: int) -> None:
        self.field, self.real_spread, self.steps = field, real_spread, steps
        self.events: list[HealthEvent] = []
        self.active: set[HealthProblem] = set()
        self.healthy_step = 0
        self._gradients: list[float] = []  # the generator's, of the first rows
        self._recent: list[tuple[float, float]] = []  # accuracy and the generator's gradient of the last rows
        self._collapsed_times = self._moved_times = self._ignored_times = self._inverted_times = 0
        self._last_samples: Tensor | None = None  # stored, on the CPU

    def see_curves(self, step: int, row: dict[str, float], generator_gradient: float) -> None:
        """Check one row: finite numbers, and whether the discriminator has won."""
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

    def on_stage_begin(self) -> None:
        """Forget what was usual: from now on other players take part, with other losses."""
        self._gradients = []
        self._recent = []

    def see_samples(self, step: int, stored: Tensor) -> None:
        """Check stored samples of the same latents as before: how much they differ, from each other and over time."""
        if len(stored) < 2:
            return
        stored = stored.cpu()
        samples = self.field.to_model(stored)
        own_spread = spread(samples)
        diversity = own_spread / self.real_spread if self.real_spread else 1.0
        late = self._is_late(step)
        self._collapsed_times = self._collapsed_times + 1 if late and diversity < COLLAPSE_DIVERSITY else 0
        detail = f"samples differ from each other {diversity:.0%} as much as real data do"
        self._judge(step, "collapse", self._collapsed_times >= COLLAPSE_TIMES, detail)
        if self._last_samples is not None:
            moved = movement(self.field.to_model(self._last_samples), samples) / max(own_spread, 1e-9)
            self._moved_times = self._moved_times + 1 if late and moved > OSCILLATION_MOVEMENT else 0
            detail = f"the same latents give new samples each time (they moved {moved:.0%} of the samples' spread)"
            self._judge(step, "oscillation", self._moved_times >= OSCILLATION_TIMES, detail)
        self._last_samples = stored.clone()

    def see_translations(self, step: int, found: Sequence[Translations]) -> None:
        """Check whether outputs follow their sources, and not as their negatives.

        The negative is looked for from the start: a training that begins with it seldom finds back.
        """
        ignoring = [each for each in found if each.follows < IGNORED_MOVEMENT] if self._is_late(step) else []
        self._ignored_times = self._ignored_times + 1 if ignoring else 0
        shown = ", ".join(f"{each.task}: {each.follows:.1%}" for each in ignoring)
        detail = f"other sources give the same outputs (these move by a share of the real images' spread of {shown})"
        self._judge(step, "source-ignored", self._ignored_times >= IGNORED_TIMES, detail)
        inverted = [
            each
            for each in found
            if each.correlation < min(INVERTED_CORRELATION, each.real_correlation - INVERTED_FALL)
        ]
        self._inverted_times = self._inverted_times + 1 if inverted and step > 0 else 0
        shown = ", ".join(f"{each.task}: {each.correlation:.2f}" for each in inverted)
        detail = f"outputs are negatives of their sources (correlation of {shown})"
        self._judge(step, "colours-inverted", self._inverted_times >= INVERTED_TIMES, detail)

    def on_samples_seen(self, step: int) -> None:
        """Note the step where neither its samples nor its translations look as if a problem had begun."""
        if not self.active and not any(self._counts()):
            self.healthy_step = step

    def see_weights(self, step: int, finite: bool) -> None:
        """Record whether all weights are finite, as found when a checkpoint is due."""
        if not finite:
            self._judge(step, "non-finite", True, "a weight is not a finite number")

    def state(self) -> dict[str, Any]:
        """All state, for a checkpoint."""
        return {
            "events": [event.facts() for event in self.events],
            "active": sorted(self.active),
            "gradients": self._gradients,
            "recent": self._recent,
            "counts": self._counts(),
            "healthy_step": self.healthy_step,
            "last_samples": self._last_samples,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned, tensors to the CPU."""
        self.events = [HealthEvent(**event) for event in state["events"]]
        self.active = set(state["active"])
        self._gradients = state["gradients"]
        self._recent = [(accuracy, gradient) for accuracy, gradient in state["recent"]]
        self._collapsed_times, self._moved_times, self._ignored_times, self._inverted_times = state["counts"]
        self.healthy_step = state["healthy_step"]
        last = state["last_samples"]
        self._last_samples = None if last is None else last.cpu()

    def _counts(self) -> list[int]:
        return [self._collapsed_times, self._moved_times, self._ignored_times, self._inverted_times]

    def _is_late(self, step: int) -> bool:
        """Whether poor samples are no longer to be expected."""
        return step >= max(WARM_UP * self.steps, WARM_UP_STEPS)

    def _judge(self, step: int, kind: HealthProblem, present: bool, detail: str) -> None:
        if present and kind not in self.active:
            self.events.append(HealthEvent(step, kind, detail, ACTIONS[kind]))
        (self.active.add if present else self.active.discard)(kind)
