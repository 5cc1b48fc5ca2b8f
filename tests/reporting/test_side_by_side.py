"""Two sides on one page: a verdict only where it may be given, and only what differs."""

from __future__ import annotations

from dataclasses import replace

from example_results import SHARED, scores
from page import Page

from ganops.evaluation.scores import NO_SCORES, Protocol
from ganops.reporting.parts import PagePicture
from ganops.reporting.side_by_side import Pair, Side, differences, judged, protocol_differences, render_side_by_side

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
LEFT = Side(
    name="mlp",
    scores=scores(fid=(20.0, 1.0), is_=(2.0, 0.5), kid=0.1),
    settings={"batch_size": 64, "networks": {"generator": {"kind": "mlp", "width": 32}}},
    pictures=[PagePicture("Samples", "", PIXEL, wide=False)],
)
RIGHT = replace(
    LEFT,
    name="models:/ganops/<2>",
    scores=scores(fid=(10.0, 1.0), is_=(2.5, 0.5), kid=0.2, novel=1.0),
    settings={"batch_size": 64, "networks": {"generator": {"kind": "dcgan", "width": 32, "norm": "batch"}}},
    pictures=[PagePicture("Curves", "", PIXEL, wide=True)],
)


def test_the_verdict_is_on_the_right_side() -> None:
    verdicts = {line.key: line.verdict for line in judged(LEFT, RIGHT)}
    assert verdicts == {"fid": "better", "is": "cannot tell", "kid": "worse", "novel": None}
    assert {line.key: line.verdict for line in judged(RIGHT, LEFT)}["fid"] == "worse"


def test_other_protocols_get_no_verdict_and_are_named() -> None:
    other = replace(RIGHT, scores=scores(SHARED | {"samples": 500}, fid=10.0))
    assert {line.verdict for line in judged(LEFT, other)} == {None}
    assert protocol_differences(LEFT, other) == [Pair("samples", "5000", "500")]
    assert "5000" in Page(render_side_by_side(LEFT, other)).text


def test_one_group_measured_in_another_way_leaves_the_verdict_on_the_others() -> None:
    changed = replace(
        RIGHT.scores, protocol=Protocol(shared=SHARED, groups={**RIGHT.scores.protocol.groups, "kid": {"subsets": 9}})
    )
    other = replace(RIGHT, scores=changed)
    assert {line.key: line.verdict for line in judged(LEFT, other)}["fid"] == "better"
    assert {line.key: line.verdict for line in judged(LEFT, other)}["kid"] is None
    assert protocol_differences(LEFT, other) == [Pair("subsets", "-", "9")]


def test_sides_without_scores_are_not_taken_for_equal() -> None:
    bare = replace(LEFT, scores=NO_SCORES)
    assert judged(bare, bare) == []
    assert {line.verdict for line in judged(bare, RIGHT)} == {None}
    Page(render_side_by_side(bare, bare)).assert_self_contained()


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
    for expected in ("20.0 ± 1.0", "models:/ganops/<2> is", "norm"):
        assert expected in page.text
