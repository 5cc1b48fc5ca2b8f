"""Two recipes, or two versions of a model, on one page: which is better by which metric, and which settings differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganops.evaluation.scores import Scores
from ganops.evaluation.verdict import Verdict
from ganops.reporting.parts import PagePicture, facts
from ganops.reporting.scores import MISSING, compare, heading, metrics_of, show
from ganops.reporting.template import template


@dataclass(frozen=True)
class Side:
    """One of the two.

    scores: NO_SCORES where it was never scored. settings: its recipe, nested as in the file.
    """

    name: str
    scores: Scores
    settings: Mapping[str, Any]
    pictures: Sequence[PagePicture]


@dataclass(frozen=True)
class Pair:
    """One line of a table: its name, and the text of each side."""

    name: str
    left: str
    right: str


@dataclass(frozen=True)
class JudgedScore:
    """One metric of both sides, and the right one's verdict against the left; None where they cannot be compared."""

    key: str
    heading: str
    sentence: str
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
        protocols=protocol_differences(left, right),
        settings=differences(left.settings, right.settings),
        pictures=[(title, _picture(left, title), _picture(right, title)) for title in titles],
    )


def judged(left: Side, right: Side) -> list[JudgedScore]:
    """Every metric of either side; judged only where both were measured under one protocol."""
    return [
        JudgedScore(
            metric.key,
            heading(metric),
            metric.sentence,
            show(left.scores.get(metric.key)),
            show(right.scores.get(metric.key)),
            compare(metric, right.scores, left.scores),
        )
        for metric in metrics_of({*left.scores, *right.scores})
    ]


def protocol_differences(left: Side, right: Side) -> list[Pair]:
    """What keeps the metrics that both sides have from being compared."""
    names: dict[str, tuple[Any, Any]] = {}
    for key in left.scores:
        if key in right.scores:
            names |= left.scores.differences(right.scores, key)
    ours, theirs = ({name: pair[side] for name, pair in names.items()} for side in (0, 1))
    return differences(ours, theirs)


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Pair]:
    """The values in which two nested mappings differ, in the order of their keys."""
    ours, theirs = facts(left), facts(right)
    pairs = [Pair(name, ours.get(name, MISSING), theirs.get(name, MISSING)) for name in dict.fromkeys([*ours, *theirs])]
    return [pair for pair in pairs if pair.left != pair.right]


def _picture(side: Side, title: str) -> PagePicture | None:
    return next((picture for picture in side.pictures if picture.title == title), None)
