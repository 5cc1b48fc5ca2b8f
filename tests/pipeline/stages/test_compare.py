"""compare picks the winner of what was evaluated, writes the report and completes the MLflow runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from example_results import SHARED, digits, manifest, scores, write_recipe_results, write_reference
from mlflow import MlflowClient
from mlflow.entities import Run

from ganops.data.manifest import manifest_path
from ganops.errors import EvaluationError, SettingsError
from ganops.workspace import Workspace
from pipeline.stages.compare import main

PARAMS = """\
seed: 7
recipes: [mlp, dcgan]
data: {source: digits, image_size: 8, channels: 1, test_share: 0.2, max_rejected: 0.0}
compare: {metric: %s}
"""


@pytest.fixture
def root(tracking_home: Path) -> Path:
    """A repository in which mlp and dcgan were trained and evaluated, but the tracking store has never seen them."""
    (tracking_home / "params.yaml").write_text(PARAMS % "fid")
    prepared = tracking_home / "data" / "prepared"
    prepared.mkdir(parents=True)
    manifest().write(manifest_path(prepared))
    write_recipe_results(tracking_home, "mlp", scores(fid=31.25, is_=9.5), images=digits()[16:24])
    write_recipe_results(tracking_home, "dcgan", scores(fid=12.5, is_=8.5), images=digits()[:16])
    return tracking_home


def runs(root: Path) -> dict[str, Run]:
    """Recipe to its MLflow run, found by the id it stands in for."""
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    found = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    return {run.data.tags["restored_from"].removeprefix("run-of-"): run for run in found}


def test_outs_name_the_winner_and_why(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main()
    compare = root / "results" / "compare"
    files = {path.relative_to(compare).as_posix() for path in compare.rglob("*") if path.is_file()}
    pages = {"leaderboard.csv", "leaderboard.md", "leaderboard.txt", "report.html", "winner.json"}
    exports = {kind for recipe in ("mlp", "dcgan") for kind in (f"scores/{recipe}.json", f"samples/{recipe}.png")}
    assert files == pages | exports
    assert json.loads((compare / "scores" / "dcgan.json").read_text()) == {"fid": 12.5}, "the headline"
    winner = json.loads((compare / "winner.json").read_text())
    assert winner | {"why": ""} == {
        "recipe": "dcgan",
        "metric": "fid",
        "value": 12.5,
        "why": "",
        "seeds": [],
        "mean": None,
    }
    assert "18.75 (60%) below mlp" in winner["why"]
    with (compare / "leaderboard.csv").open() as file:
        assert [line["recipe"] for line in csv.DictReader(file)] == ["dcgan", "mlp"]
    assert "dcgan wins" in (compare / "report.html").read_text()
    printed = capsys.readouterr().out
    assert (compare / "leaderboard.txt").read_text() in printed
    assert winner["why"] in printed
    assert "results/compare/report.html" in printed


def test_params_decide_which_metric_wins(root: Path) -> None:
    (root / "params.yaml").write_text(PARAMS % "is")
    main()
    assert json.loads((root / "results" / "compare" / "winner.json").read_text())["recipe"] == "mlp"


@pytest.mark.parametrize(("metric", "code"), [("auto", "unresolved"), ("fdi", "unknown-metric")])
def test_a_metric_that_is_not_known_is_named(root: Path, metric: str, code: str) -> None:
    (root / "params.yaml").write_text(PARAMS % metric)
    with pytest.raises(SettingsError) as error:
        main()
    assert error.value.code == code


def test_references_and_baselines_stand_on_the_leaderboard_and_do_not_win(root: Path) -> None:
    home = Workspace(root)
    write_reference(home.reference / "rows", "real-test", "real test images", scores(SHARED | {"samples": 9}, fid=1.0))
    write_reference(home.evaluated("mlp") / "baselines", "identity", "identity", scores(fid=2.0))
    main()
    with home.leaderboard.open() as file:
        lines = [(line["recipe"], line["kind"], line["rank"]) for line in csv.DictReader(file)]
    assert lines == [
        ("real test images", "reference", ""),
        ("identity", "baseline", ""),
        ("dcgan", "recipe", "1"),
        ("mlp", "recipe", "2"),
    ]
    assert json.loads(home.winner.read_text())["recipe"] == "dcgan"
    assert set(runs(root)) == {"mlp", "dcgan"}


def test_two_seeds_of_one_recipe_are_one_row_and_the_best_training_wins(root: Path) -> None:
    """The mean of 12.5 and 14 beats 31.25; each training keeps its own scores and its own run."""
    write_recipe_results(root, "dcgan-8", scores(fid=14.0, is_=8.0), images=digits()[:16])
    recipes = root / "pipeline" / "recipes"
    (recipes / "dcgan-8.yaml").write_text((recipes / "dcgan.yaml").read_text() + "seed: 8\n")
    (recipes / "mlp.yaml").write_text((recipes / "mlp.yaml").read_text().replace("140", "100"))
    (root / "params.yaml").write_text((PARAMS % "fid").replace("dcgan]", "dcgan, dcgan-8]"))
    main()
    compare = root / "results" / "compare"
    winner = json.loads((compare / "winner.json").read_text())
    assert (winner["recipe"], winner["value"]) == ("dcgan", 13.25)
    assert winner["seeds"] == ["dcgan", "dcgan-8"]
    assert winner["mean"]["scores"]["fid"]["value"] == 13.25
    with (compare / "leaderboard.csv").open() as file:
        assert [(line["recipe"], line["seeds"]) for line in csv.DictReader(file)] == [("dcgan", "2"), ("mlp", "1")]
    assert json.loads((compare / "scores" / "dcgan-8.json").read_text())["fid"] == 14.0
    found = runs(root)
    assert {recipe: run.data.metrics["score/fid"] for recipe, run in found.items()} == {
        "dcgan": 12.5,
        "dcgan-8": 14.0,
        "mlp": 31.25,
    }
    assert found["dcgan-8"].data.tags["winner"] == "false"


def test_runs_get_their_missing_scores_once_and_the_winner_its_tag(root: Path) -> None:
    main()
    main()
    found = runs(root)
    assert {recipe: run.data.tags["winner"] for recipe, run in found.items()} == {"dcgan": "true", "mlp": "false"}
    assert found["dcgan"].data.metrics["score/fid"] == 12.5
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    assert len(client.get_metric_history(found["dcgan"].info.run_id, "score/fid")) == 1


def test_different_protocols_end_without_a_winner(root: Path) -> None:
    write_recipe_results(root, "mlp", scores(SHARED | {"seed": 8}, fid=1.0), images=digits()[:8])
    with pytest.raises(EvaluationError) as error:
        main()
    assert (error.value.code, error.value.found) == ("protocols-differ", "seed: 8 (mlp), 7 (dcgan)")
    assert not (root / "results" / "compare").exists()
    assert runs(root) == {}
