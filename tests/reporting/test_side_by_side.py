"""Two sides on one page: a verdict only where it may be given, and only what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from page import Page

from ganops.reporting.parts import Picture
from ganops.reporting.side_by_side import Pair, Side, differences, judged, render_side_by_side

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
LEFT = Side(
    name="mlp",
    scores={"fid": 20.0, "fid_error": 1.0, "is": 2.0, "is_error": 0.5, "kid": 0.1},
    protocol={"digest": "a", "samples": 5000},
    settings={"batch_size": 64, "networks": {"generator": {"kind": "mlp", "width": 32}}},
    pictures=[Picture("Samples", "", PIXEL, wide=False)],
)
RIGHT = replace(
    LEFT,
    name="models:/ganops/<2>",
    scores={"fid": 10.0, "fid_error": 1.0, "is": 2.5, "is_error": 0.5, "kid": 0.2, "novel": 1.0},
    settings={"batch_size": 64, "networks": {"generator": {"kind": "dcgan", "width": 32, "norm": "batch"}}},
    pictures=[Picture("Curves", "", PIXEL, wide=True)],
)


def test_the_verdict_is_on_the_right_side() -> None:
    verdicts = {line.score.key: line.verdict for line in judged(LEFT, RIGHT)}
    assert verdicts == {"fid": "better", "is": "cannot tell", "kid": "worse", "novel": None}
    assert {line.score.key: line.verdict for line in judged(RIGHT, LEFT)}["fid"] == "worse"


@pytest.mark.parametrize("protocol", [{"digest": "b", "samples": 500}, {}])
def test_other_protocols_get_no_verdict_and_are_named(protocol: dict[str, object]) -> None:
    other = replace(RIGHT, protocol=protocol)
    assert {line.verdict for line in judged(LEFT, other)} == {None}
    text = Page(render_side_by_side(LEFT, other)).text
    assert "These scores do not compare" in text
    assert "5000" in text


def test_sides_without_scores_are_not_taken_for_equal() -> None:
    bare = replace(LEFT, scores={}, protocol={})
    assert "Neither of the two was scored" in Page(render_side_by_side(bare, bare)).text
    assert {line.verdict for line in judged(replace(LEFT, protocol={}), replace(RIGHT, protocol={}))} == {None}


def test_only_what_differs_is_listed() -> None:
    assert differences(LEFT.settings, RIGHT.settings) == [
        Pair("networks: generator: kind", "mlp", "dcgan"),
        Pair("networks: generator: norm", "-", "batch"),
    ]
    assert differences(LEFT.settings, LEFT.settings) == []


def test_the_page_is_whole_and_safe() -> None:
    page = Page(render_side_by_side(LEFT, RIGHT))
    page.assert_self_contained()
    assert [image["alt"] for image in page.images()] == ["Samples of mlp", "Curves of models:/ganops/<2>"]
    assert "do not compare" not in page.text
    for expected in ("20.0 ± 1.0", "too close to tell", "models:/ganops/<2> is", "norm"):
        assert expected in page.text
