"""The leaderboard is read from what stages wrote, and says what is wrong with it."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import pytest
from example_results import PROTOCOL, write_recipe_results

from ganops.errors import EvaluationError
from ganops.reporting.leaderboard import common_protocol, ranked, read_row
from ganops.reporting.scores import describe, in_order, number

EVENT = {"step": 1200, "kind": "collapse", "detail": "samples differ 11% as much as real images do"}


def test_a_row_holds_what_training_and_evaluation_wrote(tmp_path: Path) -> None:
    write_recipe_results(tmp_path, "dcgan", {"fid": 12.5, "novel": 3}, health_events=[EVENT])
    row = read_row(tmp_path / "results", "dcgan")
    assert row.scores == {"fid": 12.5, "novel": 3.0}
    assert row.protocol == PROTOCOL
    assert (row.steps, row.images_per_second, row.minutes) == (2000, 1925.3, 66.5 / 60)
    assert row.parameters == {"generator": 900_000, "discriminator": 300_000}
    assert row.health == "1 warning"
    assert row.health_events == ("step 1,200: collapse: samples differ 11% as much as real images do",)


def test_json_with_nan_or_null_gives_a_value_that_cannot_win(tmp_path: Path) -> None:
    write_recipe_results(tmp_path, "dcgan", {"fid": float("nan"), "kid": None})  # type: ignore[dict-item]
    scores = read_row(tmp_path / "results", "dcgan").scores
    assert isnan(scores["fid"])
    assert "kid" not in scores


def test_a_sick_recipe_may_lack_scores_a_healthy_one_may_not(tmp_path: Path) -> None:
    write_recipe_results(tmp_path, "sick", None, sick=True)
    assert read_row(tmp_path / "results", "sick").health == "sick"
    write_recipe_results(tmp_path, "well", None)
    with pytest.raises(EvaluationError, match=r"metrics\.json is missing\n.*dvc repro evaluate@well"):
        read_row(tmp_path / "results", "well")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("train/a/training.json", "{", "cannot be read"),
        ("train/a/training.json", "[]", "is no JSON object"),
        ("train/a/training.json", '{"steps": 3}', "KeyError: 'images_per_second'"),
        ("evaluate/a/metrics.json", '{"fid": "good"}', "could not convert string to float"),
        ("evaluate/a/protocol.json", "{}", "has no digest"),
    ],
)
def test_damaged_results_name_the_file_or_recipe(tmp_path: Path, file: str, text: str, message: str) -> None:
    write_recipe_results(tmp_path, "a", {"fid": 1.0})
    (tmp_path / "results" / file).write_text(text)
    with pytest.raises(EvaluationError, match=message):
        read_row(tmp_path / "results", "a")


def test_order_is_best_first_then_unscored_then_sick(tmp_path: Path) -> None:
    for recipe, metrics, sick in (
        ("s", {"fid": 1.0}, True),
        ("n", {"kid": 1.0}, False),
        ("b", {"fid": 3.0}, False),
        ("a", {"fid": 2.0}, False),
    ):
        write_recipe_results(tmp_path, recipe, metrics, sick=sick)
    rows = [read_row(tmp_path / "results", recipe) for recipe in "snba"]
    assert [row.recipe for row in ranked(rows, describe("fid"))] == ["a", "b", "n", "s"]


def test_different_protocols_are_told_apart_by_what_differs(tmp_path: Path) -> None:
    write_recipe_results(tmp_path, "a", {"fid": 1.0})
    write_recipe_results(
        tmp_path, "b", {"fid": 2.0}, protocol=PROTOCOL | {"digest": "ef" * 32, "extractor": "inception-v3"}
    )
    write_recipe_results(tmp_path, "c", None, sick=True)
    a, b, c = (read_row(tmp_path / "results", recipe) for recipe in "abc")
    assert common_protocol([c, a]) == PROTOCOL
    with pytest.raises(EvaluationError, match="a: extractor classifier; b: extractor inception-v3"):
        common_protocol([a, b])


def test_a_score_is_written_as_finely_as_its_error_allows() -> None:
    fid = describe("fid")
    assert fid.heading == "FID ↓"
    assert fid.show({"fid": 12.3456}) == "12.35"
    assert fid.show({"fid": 12.3456, "fid_error": 0.4242}) == "12.35 ± 0.42"
    assert fid.show({"fid": 123.456, "fid_error": 17.2}) == "123 ± 17"
    assert fid.show({"fid": 0.00210, "fid_error": 0.00012}) == "0.00210 ± 0.00012"
    assert fid.show({}) == fid.show({"fid": float("inf")}) == "-"
    assert fid.show({"fid": 10.0}) == "10"
    assert [number(value) for value in (1234.5, -0.0021, 10.0)] == ["1,234", "-0.002100", "10.00"]


def test_unknown_scores_come_last_and_an_error_is_no_score_of_its_own() -> None:
    keys = [score.key for score in in_order({"zebra", "kid", "fid_error", "fid", "lonely_error"})]
    assert keys == ["fid", "kid", "lonely_error", "zebra"]
    assert describe("zebra").better is None
