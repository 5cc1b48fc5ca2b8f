"""A checkout with prepared digits, their reference, a recipe and its search space; trainings in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from evaluated_home import PARAMS, RECIPE, make_home

from ganops.errors import GanopsError
from ganops.search.budget import Budget
from ganops.search.order import Order, make_order
from ganops.search.worker import main as work
from ganops.workspace import WORKSPACE
from pipeline.stages.reference import main as make_reference

TRAIN = (
    "train: {device: cpu, precision: float32, compile: never, sample_images: 4, sample_times: 2, "
    "validation_samples: 60, debug: 'off'}\n"
)
SPACE = """\
space:
  optimizers.generator.lr: {low: 1.0e-4, high: 1.0e-2, log: true}
  batch_size: {choices: [4, 8]}
validations: 4
random_trials: 3
"""


class InThisProcess:
    """Trains at once, where a process of its own would only take time to start; `before` is called with each folder."""

    places = 1

    def __init__(self, before: Callable[[Path], None] = lambda _: None) -> None:
        self.before = before
        self.folders: list[Path] = []

    def start(self, folder: Path, environment: Mapping[str, str]) -> Ended:
        self.folders.append(folder)
        self.before(folder)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            try:
                work(str(folder))
            except GanopsError as error:
                (folder / "log.txt").write_text(f"error: {error}\n")
                return Ended(error.exit_code)
        return Ended(0)


class Ended:
    """A training that has ended."""

    def __init__(self, code: int) -> None:
        self.code = code

    def poll(self) -> int:
        return self.code

    def stop(self) -> None:
        """Nothing is left to stop."""


@pytest.fixture(scope="session")
def searched_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout; its reference takes a second."""
    home = tmp_path_factory.mktemp("search") / "home"
    home.mkdir()
    make_home(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        WORKSPACE.params.write_text(PARAMS + TRAIN)
        WORKSPACE.recipe("tiny").write_text(RECIPE.model_copy(update={"budget_kimg": 0.2}).model_dump_json())
        WORKSPACE.searches.mkdir(parents=True)
        (WORKSPACE.searches / "tiny.yaml").write_text(SPACE)
        make_reference()
    return home


@pytest.fixture
def home(searched_checkout: Path, tracking_home: Path) -> Path:
    """A copy of the checkout with an empty tracking database, as the working directory."""
    shutil.copytree(searched_checkout, tracking_home, dirs_exist_ok=True)
    return tracking_home


def order(**changes: Any) -> Order:
    """A small search of `tiny`."""
    asked: dict[str, Any] = {"budget": Budget(kimg=0.2), "trials": 4, "seed": 0, "top": 1, "seeds": 2, "found": None}
    return make_order("tiny", **asked | changes)
