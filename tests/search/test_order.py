"""What is impossible is said before the first trial, and nothing is left behind."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from search.conftest import SPACE, InThisProcess, order

from ganops.cli import ganops
from ganops.errors import GanopsError, SearchError
from ganops.search.budget import Budget
from ganops.search.finals import seeds
from ganops.search.run import search
from ganops.workspace import WORKSPACE

LR = "optimizers.generator.lr"


def refused(**changes: Any) -> GanopsError:
    with pytest.raises(GanopsError) as caught:
        order(**changes)
    assert not WORKSPACE.searched("tiny").exists()
    return caught.value


def set_space(text: str) -> None:
    (WORKSPACE.searches / "tiny.yaml").write_text(text)


def set_params(section: str, **values: Any) -> None:
    params = yaml.safe_load(WORKSPACE.params.read_text())
    params.setdefault(section, {}).update(values)
    WORKSPACE.params.write_text(yaml.safe_dump(params))


def test_a_space_of_another_recipe_or_with_impossible_ends_is_refused(home: Path) -> None:
    set_space(SPACE.replace(LR, "optimizers.generator.rate"))
    assert refused().code == "unknown-key"
    set_space(SPACE.replace("[4, 8]", "[4, 1]"))
    assert (refused().code, "batch_size = 1" in str(refused())) == ("bad-value", True)
    set_space(SPACE.replace("[4, 8]", "[4, 8]}\n  game.loss: {choices: [non-saturating, hinged]"))
    error = refused()
    assert error.code == "bad-value"
    assert "game.loss = hinged" in error.message
    set_space(SPACE.replace("[4, 8]", "[4, 8]}\n  networks.generator.latent_dim: {choices: [4, 0], also: [x]"))
    assert refused().code == "unknown-key"


def test_settings_under_which_trials_do_not_compare_are_refused(home: Path) -> None:
    assert refused(budget=Budget(kimg=0.02)).code == "budget-too-short"
    set_params("train", debug="two-steps")
    assert "train.debug is on" in str(refused())
    set_params("train", debug="off", processes=2)
    assert "train.processes: 2" in str(refused())
    set_params("train", processes=1)
    set_params("compare", metric="auto")
    assert "auto" in str(refused())


def test_names_data_and_packages_that_are_missing_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(found="Tiny Found").code == "bad-name"
    assert refused(found="tiny").code == "recipe-exists", "a recipe that no search has written stays"
    shutil.rmtree(WORKSPACE.reference)
    assert refused().code == "damaged-validation"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "optuna", None)
        error = refused()
    assert (error.code, "pip install" in error.action) == ("no-optuna", True)


def test_the_command_refuses_before_any_work(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(*words: str) -> str:
        done = CliRunner().invoke(ganops, ["search", *words])
        assert done.exit_code != 0
        return getattr(done.exception, "code", "") if isinstance(done.exception, GanopsError) else done.output

    assert said("tiny", "--budget", "40") == "bad-budget"
    assert said("tinny") == "unknown-recipe"
    assert "not in the range" in said("tiny", "--trials", "1")
    monkeypatch.setitem(sys.modules, "ray", None)
    assert said("tiny", "--ray", "auto") == "no-ray"


def test_one_search_at_a_time_and_other_settings_only_after_a_restart(home: Path) -> None:
    small = {"trials": 1, "seeds": 1}

    def at_once(_folder: Path) -> None:
        with pytest.raises(SearchError) as caught:
            search(order(**small), InThisProcess())
        assert caught.value.code == "already-searching"

    search(order(**small), InThisProcess(at_once))
    other = order(**small, budget=Budget(kimg=0.3))
    with pytest.raises(SearchError) as caught:
        search(other, InThisProcess())
    assert (caught.value.code, caught.value.expected) == ("other-search", "budget: 0.2 kimg")
    executor = InThisProcess()
    search(other, executor, restart=True)
    assert len(executor.folders) == 2


def test_a_recipe_that_cannot_be_trained_ends_the_search_with_the_reason(home: Path) -> None:
    asked = order()
    shutil.rmtree(WORKSPACE.reference / "validation")
    with pytest.raises(SearchError) as caught:
        search(asked, InThisProcess())
    assert caught.value.code == "recipe-fails"
    assert "does not say how to validate" in caught.value.found


def test_finals_take_seeds_that_no_trial_has_had_and_one_protocol(home: Path) -> None:
    asked = order()
    assert list(seeds(asked)) == [8, 9]
    own = replace(asked, recipe=asked.recipe.model_copy(update={"seed": 9}))
    assert list(seeds(own)) == [10, 11]
    more = asked.params.evaluate.model_copy(update={"samples": 240})
    other = replace(asked, params=asked.params.model_copy(update={"evaluate": more}))
    assert {key for key, value in asked.identity().items() if value != other.identity()[key]} == {"evaluate"}
