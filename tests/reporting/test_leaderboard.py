"""The leaderboard is read from what stages wrote, names damaged files, and keeps references apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from example_results import SHARED, row, scores, write_recipe_results, write_reference

from ganops.errors import EvaluationError
from ganops.evaluation.metric_names import describe
from ganops.reporting.leaderboard import check_comparable, ranked, ranks, read_references, read_row
from ganops.workspace import Workspace

EVENT = {"step": 1200, "kind": "collapse", "detail": "samples differ 11% as much as real images do"}
FID = describe("fid")


def test_a_row_holds_what_training_and_evaluation_wrote(tmp_path: Path) -> None:
    found = scores(fid=(12.5, 0.3), kid=3.0)
    write_recipe_results(tmp_path, "dcgan", found, health_events=[EVENT])
    row = read_row(Workspace(tmp_path), "dcgan")
    assert row.own == row.scores == found
    assert row.mean is None
    assert row.training is not None
    assert (row.training.steps, row.training.images_per_second, row.training.minutes) == (2000, 1925.3, 66.5 / 60)
    assert row.training.parameters == {"generator": 900_000, "discriminator": 300_000}
    assert row.health == "1 warning"
    assert row.training.health_events == ("step 1,200: collapse: samples differ 11% as much as real images do",)


def test_an_unhealthy_recipe_may_lack_scores_a_healthy_one_may_not(tmp_path: Path) -> None:
    write_recipe_results(tmp_path, "broken", None, unhealthy=True)
    assert read_row(Workspace(tmp_path), "broken").health == "unhealthy"
    write_recipe_results(tmp_path, "well", None)
    with pytest.raises(EvaluationError) as error:
        read_row(Workspace(tmp_path), "well")
    assert error.value.code == "missing-file"
    assert "dvc repro evaluate@well" in error.value.action


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("train/a/training.json", "{", "damaged-file"),
        ("train/a/training.json", "[]", "damaged-file"),
        ("train/a/training.json", '{"steps": 3}', "damaged-file"),
        ("evaluate/a/scores.json", "{", "damaged-file"),
        ("evaluate/a/scores.json", '{"scores": {"fid": "good"}, "protocol": {}}', "damaged-scores"),
        ("evaluate/a/scores.json", '{"scores": {}}', "damaged-scores"),
    ],
)
def test_damaged_results_name_the_file(tmp_path: Path, file: str, text: str, code: str) -> None:
    write_recipe_results(tmp_path, "a", scores(fid=1.0))
    (tmp_path / "results" / file).write_text(text)
    with pytest.raises(EvaluationError) as error:
        read_row(Workspace(tmp_path), "a")
    assert error.value.code == code
    assert file in error.value.message


def test_order_is_references_then_best_first_then_unscored_then_unhealthy() -> None:
    rows = [
        row("s", unhealthy=True, fid=1.0),
        row("n", kid=1.0),
        row("b", fid=3.0),
        row("bicubic", kind="baseline", fid=2.5),
        row("a", fid=2.0),
        row("real", kind="reference", fid=9.0),
    ]
    assert [row.name for row in ranked(rows, FID)] == ["real", "a", "bicubic", "b", "n", "s"]


def test_only_healthy_recipes_with_the_metric_have_a_rank_and_equals_share_one() -> None:
    rows = [row("a", fid=2.0), row("b", fid=2.0), row("c", fid=3.0), row("n", kid=1.0)]
    rows += [row("s", unhealthy=True, fid=1.0), row("real", kind="reference", fid=1.0)]
    assert ranks(rows, FID) == {"a": 1, "b": 1, "c": 3}


def test_different_protocols_of_the_deciding_metric_are_named_by_what_differs() -> None:
    rows = [row("a", fid=1.0), row("b", samples=500, fid=2.0), row("real", kind="reference", samples=297, fid=1.0)]
    check_comparable([rows[0], rows[2], row("c", samples=500, kid=1.0)], FID)
    with pytest.raises(EvaluationError) as error:
        check_comparable(rows, FID)
    assert error.value.code == "protocols-differ"
    assert error.value.found == "samples: 5000 (a), 500 (b)"


def test_references_come_first_and_a_shared_baseline_is_one_row(tmp_path: Path) -> None:
    home = Workspace(tmp_path)
    write_reference(
        home.reference / "rows", "real-test", "real test images", scores(SHARED | {"samples": 297}, fid=1.2)
    )
    for recipe in ("a", "b", "c"):
        write_reference(home.evaluated(recipe) / "baselines", "identity", "identity", scores(psnr=9.0))
        value = {"a": 20.0, "b": 21.0, "c": 20.0}[recipe]
        write_reference(home.evaluated(recipe) / "baselines", "l1", "L1 only", scores(psnr=value))
    found = read_references(home, ["a", "b", "c"])
    assert [(row.kind, row.name) for row in found] == [
        ("reference", "real test images"),
        ("baseline", "identity"),
        ("baseline", "L1 only (a)"),
        ("baseline", "L1 only (b)"),
    ]
    assert found[0].training is None
    assert found[0].health == ""


def test_a_damaged_reference_is_named(tmp_path: Path) -> None:
    folder = Workspace(tmp_path).reference / "rows"
    folder.mkdir(parents=True)
    (folder / "real-test.json").write_text(json.dumps({"title": "real"}))
    with pytest.raises(EvaluationError) as error:
        read_references(Workspace(tmp_path), [])
    assert error.value.code == "damaged-scores"
