"""Two recipes, or two versions of a model, on one page: which is better by which score, what was set differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganops.evaluation.verdict import Verdict
from ganops.reporting.parts import Picture, facts
from ganops.reporting.report import template
from ganops.reporting.scores import MISSING, ShownScore, compare, in_order


@dataclass(frozen=True)
class Side:
    """One of the two.

    scores: as in metrics.json; protocol: as in protocol.json; both empty where it was never scored.
    settings: its recipe, nested as in the file.
    """

    name: str
    scores: Mapping[str, float]
    protocol: Mapping[str, Any]
    settings: Mapping[str, Any]
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Pair:
    """One line of a table: what it is about, and the text of each side."""

    name: str
    left: str
    right: str


@dataclass(frozen=True)
class JudgedScore:
    """One score of both sides, and the right one's verdict against the left; None where they do not compare."""

    score: ShownScore
    left: str
    right: str
    verdict: Verdict | None


def render_side_by_side(left: Side, right: Side) -> str:
    """The page as HTML, as self-contained as the report; scores of different protocols are shown without a verdict."""
    titles = list(dict.fromkeys(picture.title for side in (left, right) for picture in side.pictures))
    return template("side_by_side.html").render(
        left=left,
        right=right,
        scores=judged(left, right),
        protocols=differences(left.protocol, right.protocol),
        settings=differences(left.settings, right.settings),
        pictures=[(title, _picture(left, title), _picture(right, title)) for title in titles],
    )


def judged(left: Side, right: Side) -> list[JudgedScore]:
    """Every score of either side; judged only where both were measured under one protocol."""
    comparable = bool(left.protocol) and left.protocol.get("digest") == right.protocol.get("digest")
    return [
        JudgedScore(
            score,
            score.show(left.scores),
            score.show(right.scores),
            compare(score, right.scores, left.scores) if comparable else None,
        )
        for score in in_order(left.scores.keys() | right.scores.keys())
    ]


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Pair]:
    """What two nested mappings say differently, in the order of their keys."""
    ours, theirs = facts(left), facts(right)
    pairs = [Pair(name, ours.get(name, MISSING), theirs.get(name, MISSING)) for name in dict.fromkeys([*ours, *theirs])]
    return [pair for pair in pairs if pair.left != pair.right]


def _picture(side: Side, title: str) -> Picture | None:
    return next((picture for picture in side.pictures if picture.title == title), None)
