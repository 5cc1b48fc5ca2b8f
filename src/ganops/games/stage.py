"""Stages of a training: which players take part in which share of the budget."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import isclose

from ganops.errors import SettingsError


@dataclass(frozen=True)
class Stage:
    """One part of a training.

    share: of the budget, above 0; the shares of all stages sum to 1. players: those that take part.
    """

    share: float
    players: tuple[str, ...]


def check_stages(stages: Sequence[Stage], players: Collection[str]) -> None:
    """Raise SettingsError where shares do not sum to 1, and for a stage without players or with unknown ones."""
    if not stages:
        return
    if any(stage.share <= 0 for stage in stages) or not isclose(sum(stage.share for stage in stages), 1):
        raise SettingsError(
            "the shares of a game's stages do not make up its budget",
            code="bad-stages",
            expected="shares above 0 that sum to 1",
            found=", ".join(f"{stage.share:g}" for stage in stages),
        )
    for number, stage in enumerate(stages):
        if not stage.players or not set(stage.players) <= set(players):
            raise SettingsError(
                f"stage {number} of the game has no players, or unknown ones",
                code="bad-stages",
                expected=f"one or more of {', '.join(players)}",
                found=", ".join(stage.players) or "none",
            )


def stage_ends(stages: Sequence[Stage], steps: int) -> tuple[int, ...]:
    """The step at which each stage ends; the last is `steps`. Each stage has a step where there are enough."""
    ends, total = list[int](), 0.0
    for number, stage in enumerate(stages, start=1):
        total += stage.share
        latest = steps - (len(stages) - number)  # leaves a step for each later stage
        ends.append(max(min(round(total * steps), latest), (ends[-1] if ends else 0) + 1))
    return tuple(min(end, steps) for end in ends) or (steps,)
