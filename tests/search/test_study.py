"""The study: proposals that do not depend on kills, pruning, failures, and counting each trial once."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from math import log10
from pathlib import Path
from typing import Any

import optuna
import pytest

from ganops.errors import SearchError
from ganops.search.space import SearchSpace
from ganops.search.study import Study, Trial, readable_errors
from ganops.search.trial_folder import Outcome, Report
from ganops.settings import validate

SPACE = validate(
    SearchSpace,
    {
        "space": {"lr": {"low": 1e-4, "high": 1e-1, "log": True}, "norm": {"choices": ["batch", None, [1, 2]]}},
        "validations": 4,
        "random_trials": 4,
    },
    "space",
)
OWN = {"lr": 0.00123456, "norm": None}  # more digits than a proposal has


def study(folder: Path, **identity: str) -> Study:
    return Study(folder / "study.db", SPACE, OWN, "lower", 3, {"data": "a"} | identity)


def value_of(trial: Trial) -> float:
    """Best for a learning rate of 0.01 and the norm `batch`."""
    return abs(log10(trial.values["lr"]) + 2) + (trial.values["norm"] != "batch")


def complete(value: float) -> Outcome:
    return Outcome(state="complete", value=value, kimg=1.0, images_per_second=100.0)


def reports(*values: float) -> tuple[Report, ...]:
    return tuple(Report(step=10 * place, kimg=place, value=value) for place, value in enumerate(values, start=1))


def test_it_learns_and_a_search_that_was_killed_between_trials_proposes_the_same(tmp_path: Path) -> None:
    whole, killed = study(tmp_path / "whole"), tmp_path / "killed"
    for _ in range(10):
        trial = whole.ask()
        whole.tell(trial.number, complete(value_of(trial)))
        again = study(killed)
        trial = again.ask()
        again.tell(trial.number, complete(value_of(trial)))
    found = whole.trials()
    assert found == study(killed).trials()
    assert found[0].values == OWN
    assert min(trial.value or 0.0 for trial in found) < value_of(found[0])
    assert set(whole.importances()) == {"lr", "norm"}


def test_a_trial_that_ran_when_the_search_was_killed_is_the_same_trial_later(tmp_path: Path) -> None:
    asked = study(tmp_path).ask()
    again = study(tmp_path)
    (unfinished,) = again.unfinished()
    assert unfinished == asked
    assert not again.report(0, reports(5.0, 4.0))
    assert not again.report(0, reports(5.0, 4.0, 3.0)), "those of before the kill come again"
    ended = again.tell(0, complete(3.0))
    assert (ended.state, ended.value, ended.reports) == ("complete", 3.0, {1: 5.0, 2: 4.0, 3: 3.0})
    assert study(tmp_path).unfinished() == []
    assert len(study(tmp_path).trials()) == 1


@pytest.mark.parametrize("complete_ones", [0, 2])
def test_a_search_that_was_killed_while_it_proposed_goes_on_with_that_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complete_ones: int
) -> None:
    first = study(tmp_path)
    for _ in range(complete_ones):
        first.tell(first.ask().number, complete(1.0))
    suggest = optuna.trial.Trial._suggest

    def killed(trial: optuna.trial.Trial, name: str, distribution: Any) -> Any:
        if name == "norm":
            raise KeyboardInterrupt
        return suggest(trial, name, distribution)

    with monkeypatch.context() as patch:
        patch.setattr(optuna.trial.Trial, "_suggest", killed)
        with pytest.raises(KeyboardInterrupt):
            first.ask()
    (unfinished,) = study(tmp_path).unfinished()
    assert unfinished.number == complete_ones
    assert set(unfinished.values) == set(OWN)
    assert study(tmp_path).trials()[0].values == OWN


def test_a_hopeless_trial_is_pruned_but_never_the_recipe_itself(tmp_path: Path) -> None:
    found = study(tmp_path)
    own = found.ask()
    for value in (1.0, 1.1, 1.2, 1.3, 1.4):
        trial = found.ask()
        assert not found.report(trial.number, reports(value, value, value, value))
        found.tell(trial.number, complete(value))
    assert not found.report(own.number, reports(9.0, 9.0))
    hopeless = found.ask()
    assert not found.report(hopeless.number, reports(9.0)), "the first validation says little"
    assert found.report(hopeless.number, reports(9.0, 9.0))
    ended = found.tell(hopeless.number, Outcome(state="pruned", value=9.0, kimg=0.5))
    assert (ended.state, ended.value) == ("pruned", None)


def test_an_unhealthy_trial_has_failed_and_says_why(tmp_path: Path) -> None:
    found = study(tmp_path)
    ended = found.tell(found.ask().number, Outcome(state="unhealthy", value=2.0, reason="collapse", kimg=0.4))
    assert (ended.state, ended.value, ended.reason, ended.kimg) == ("failed", None, "unhealthy: collapse", 0.4)
    assert [trial.state for trial in found.trials()] == ["failed"]


def test_trials_of_other_settings_are_not_mixed(tmp_path: Path) -> None:
    study(tmp_path)
    with pytest.raises(SearchError) as caught:
        study(tmp_path, data="b")
    assert caught.value.code == "other-search"
    assert (caught.value.expected, caught.value.found) == ("data: a", "data: b")
    assert "--restart" in caught.value.action


def damaged_at_once(path: Path) -> None:
    path.write_bytes(b"half a file" * 1000)


def of_another_program(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("create table version_info (version_info_id integer primary key, schema_version integer, "
                      "library_version text)")  # fmt: skip
        other.execute("insert into version_info values (1, 1, '0.1')")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [(damaged_at_once, "study-damaged"), (of_another_program, "study-damaged"), (Path.mkdir, "study-unusable")],
)
def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path, spoil: Callable[[Path], None], code: str) -> None:
    spoil(tmp_path / "study.db")
    with pytest.raises(SearchError) as caught, readable_errors(tmp_path / "study.db"):
        study(tmp_path)
    assert caught.value.code == code
    assert caught.value.found


@pytest.mark.parametrize("spoil", [shutil.rmtree, lambda folder: damaged_at_once(folder / "study.db")])
def test_a_database_that_is_lost_meanwhile_is_named(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    folder = tmp_path / "search"
    known = study(folder)
    number = known.ask().number
    spoil(folder)
    with pytest.raises(SearchError) as caught, readable_errors(folder / "study.db"):
        known.tell(number, complete(1.0))
    assert caught.value.code in ("study-damaged", "study-unusable")
    assert caught.value.found


def test_only_a_study_that_is_made_is_new(tmp_path: Path) -> None:
    assert study(tmp_path).is_new
    assert not study(tmp_path).is_new
