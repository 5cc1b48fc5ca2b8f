"""One trial: pruned, unhealthy, of a budget in seconds; what it leaves and what MLflow says."""

from __future__ import annotations

from pathlib import Path

import pytest
from search.conftest import order

from ganops.errors import SearchError
from ganops.recipe import Recipe
from ganops.search.budget import Budget, read_budget, with_budget
from ganops.search.trial_folder import Assignment, Outcome, Report, TrialFolder
from ganops.search.worker import main
from ganops.tracking.run import read_run_file
from ganops.tracking.store import connect
from ganops.training.plan import make_plan


def begin(recipe: Recipe | None = None, seconds: float | None = None) -> TrialFolder:
    """The folder of a trial of `tiny` that has not begun."""
    asked = order()
    folder = asked.trial_folder(0)
    folder.assign(
        Assignment(
            name="tiny-trial-0000",
            params=asked.params,
            recipe=recipe or asked.variant(asked.own_values),
            seconds=seconds,
            validations=4,
            tags={"search": "tiny"},
        )
    )
    return folder


def run(folder: TrialFolder) -> Outcome:
    main(str(folder.path))
    outcome = folder.outcome()
    assert outcome is not None
    return outcome


def test_a_trial_that_the_search_gives_up_ends_at_its_next_row(home: Path) -> None:
    folder = begin()
    folder.prune()
    outcome = run(folder)
    assert (outcome.state, outcome.weights) == ("pruned", {})
    assert outcome.kimg < 0.1
    assert not (folder.path / "unfinished").exists()
    (run_found,) = connect().client.search_runs(["1"])
    assert run_found.info.status == "KILLED"
    assert run_found.data.tags["trial.state"] == "pruned"
    assert run_found.data.tags["search"] == "tiny"


def test_a_trial_of_numbers_that_are_not_finite_is_unhealthy(home: Path) -> None:
    recipe = order().recipe
    wild = {player: settings.model_copy(update={"lr": 1e30}) for player, settings in recipe.optimizers.items()}
    outcome = run(begin(recipe.model_copy(update={"optimizers": wild})))
    assert (outcome.state, outcome.reason) == ("unhealthy", "non-finite")


def test_a_budget_in_seconds_becomes_images_once(home: Path) -> None:
    folder = begin(seconds=2.0)
    outcome = run(folder)
    recipe = folder.assignment().recipe
    assert folder.assignment().seconds is None
    assert outcome.kimg == pytest.approx(recipe.budget_kimg, rel=1e-3)
    assert [report.kimg for report in folder.reports()][-1] == outcome.kimg
    assert len(folder.reports()) == 4
    assert outcome.value == min(report.value for report in folder.reports())
    assert read_run_file(folder.path / "run.json").recipe == "tiny-trial-0000"
    with pytest.raises(SearchError) as caught:
        run(begin(seconds=1e-3))
    assert caught.value.code == "budget-too-short"


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("40kimg", Budget(kimg=40)),
        ("1min", Budget(seconds=60)),
        ("1.5 h", Budget(seconds=5400)),
        (".5s", Budget(seconds=0.5)),
    ],
)
def test_a_budget_has_a_unit(text: str, budget: Budget) -> None:
    assert read_budget(text) == budget


@pytest.mark.parametrize("text", ["40", "0s", "-1min", "1 day", "kimg", "nan s", "1e3s"])
def test_anything_else_is_not_a_budget(text: str) -> None:
    with pytest.raises(SearchError) as caught:
        read_budget(text)
    assert caught.value.code == "bad-budget"


def test_a_budget_brings_its_validations_under_any_scale(home: Path) -> None:
    asked = order()
    settings = asked.params.train.model_copy(update={"budget_scale": 0.25})
    plan = make_plan(with_budget(asked.recipe, 0.8, 4, 0.25), settings, "discriminator")
    assert plan.steps == 200
    assert sorted(plan.validate_at) == [50, 100, 150, 200]


def test_a_resumed_training_reports_again_and_nothing_is_twice(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    first, second = Report(step=10, kimg=0.1, value=3.0), Report(step=20, kimg=0.2, value=2.0)
    for each in (first, second, first, second):
        folder.report(each)
    assert folder.reports() == (first, second)
    (tmp_path / "reports.json").write_text('{"reports": [')
    assert folder.reports() == ()
