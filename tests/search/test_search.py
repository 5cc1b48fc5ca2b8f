"""A whole search: counted trials, a recipe that the train stage reproduces bit for bit, and going on after a kill."""

from __future__ import annotations

import json
from pathlib import Path

from search.conftest import InThisProcess, order

from ganops.games.saved import load_description
from ganops.recipe import load_recipe
from ganops.search.run import search
from ganops.search.trial_folder import Outcome
from ganops.tracking.store import connect
from ganops.workspace import WORKSPACE
from pipeline.stages.train import main as train


def runs() -> dict[str, dict[str, str]]:
    """Name of each MLflow run to its tags."""
    client = connect().client
    found = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    return {run.info.run_name: {**run.data.tags, "status": run.info.status} for run in found}


def test_the_recipe_that_is_found_trains_the_same_model_in_the_pipeline(home: Path) -> None:
    executor = InThisProcess()
    asked = order(trials=3, seeds=1)
    final = search(asked, executor)
    assert [folder.name for folder in executor.folders[:3]] == ["0000", "0001", "0002"]
    winner = final.winner.trial.number
    report = (asked.folder / "report.html").read_text()
    assert "https://" not in report
    assert report.count("data:image/png;base64,") == len(list(asked.folder.glob("*.png"))) >= 3
    summary = json.loads((asked.folder / "summary.json").read_text())
    assert summary["candidates"][0]["trial"] == winner
    tracked = runs()
    parent = next(tags for name, tags in tracked.items() if name == "search tiny")
    nested = {name for name, tags in tracked.items() if "mlflow.parentRunId" in tags}
    assert parent["status"] == "FINISHED"
    assert len(nested) == 3 + 2, "the trials, the best of them again, and the recipe itself again"
    # The winner may be the recipe itself; the best trial is what a search is for.
    best = next(each for each in final.candidates if each.trial.number != 0)
    file = WORKSPACE.recipe("tiny-found")
    assert file.exists() == (winner != 0)
    found = best.recipe if winner == 0 else load_recipe(file)
    for seed, folder in ((None, asked.trial_folder(best.trial.number)), (8, asked.seed_folder(best.trial.number, 8))):
        WORKSPACE.recipe("again").write_text(found.model_copy(update={"seed": seed}).model_dump_json())
        train("again")
        outcome = folder.outcome()
        assert outcome is not None
        assert load_description(WORKSPACE.model("again")).weights == outcome.weights


def test_outcomes_that_no_study_knows_are_not_those_of_its_trials(home: Path) -> None:
    """The database was lost: the same number is another trial now."""
    asked = order(trials=2, seeds=1)
    folder = asked.trial_folder(0)
    folder.path.mkdir(parents=True)
    folder.end(Outcome(state="complete", value=-1.0, kimg=0.2))
    executor = InThisProcess()
    final = search(asked, executor)
    assert "0000" in [each.name for each in executor.folders]
    assert all(each.trial.value != -1.0 for each in final.candidates)
