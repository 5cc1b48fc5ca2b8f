"""Where everything lies in a checkout: the one place that knows the layout."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """Paths below `root`, the folder that holds params.yaml; relative to the working directory by default."""

    root: Path = Path()

    @property
    def params(self) -> Path:
        """The settings of the whole pipeline."""
        return self.root / "params.yaml"

    @property
    def recipes(self) -> Path:
        """The folder of recipe files."""
        return self.root / "pipeline" / "recipes"

    @property
    def resolved(self) -> Path:
        """What the values `auto` of params.yaml stand for with the data at hand."""
        return self.root / "pipeline" / "resolved.yaml"

    @property
    def raw(self) -> Path:
        """Source data, as downloaded or put there by a person."""
        return self.root / "data" / "raw"

    @property
    def inventory(self) -> Path:
        """What the source data are made of, so that a change is noticed."""
        return self.root / "data" / "inventory.json"

    @property
    def measuring_files(self) -> Path:
        """The digests of files that `evaluate` names, such as feature extractors of one's own."""
        return self.root / "data" / "measuring-files.json"

    @property
    def prepared(self) -> Path:
        """Packed data and their manifest."""
        return self.root / "data" / "prepared"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of trainings that have not ended."""
        return self.root / "checkpoints"

    @property
    def profiles(self) -> Path:
        """Traces of trainings with `debug: profile`."""
        return self.root / "profiles"

    @property
    def evidence(self) -> Path:
        """A zip file for each promoted version, with all that speaks for it."""
        return self.root / "evidence"

    @property
    def logs(self) -> Path:
        """Full logs of flows."""
        return self.root / "logs"

    @property
    def results(self) -> Path:
        """Everything the stages after `prepare` leave."""
        return self.root / "results"

    @property
    def reference(self) -> Path:
        """What evaluation needs of the real data."""
        return self.results / "reference"

    @property
    def checked(self) -> Path:
        """Is there when all settings are possible with the data at hand."""
        return self.results / "checked.txt"

    @property
    def codes(self) -> Path:
        """The digests of the code behind each training."""
        return self.results / "code"

    @property
    def comparison(self) -> Path:
        """Leaderboard, report and winner."""
        return self.results / "compare"

    @property
    def leaderboard(self) -> Path:
        """The leaderboard as CSV."""
        return self.comparison / "leaderboard.csv"

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.comparison / "report.html"

    @property
    def winner(self) -> Path:
        """Which recipe won, and why."""
        return self.comparison / "winner.json"

    @property
    def registration(self) -> Path:
        """Which model version the winner is."""
        return self.results / "register" / "registration.json"

    @property
    def segmenters(self) -> Path:
        """Segmenters that read outputs, trained on the real pairs; `make clean` removes them."""
        return self.root / "build" / "segmenters"

    @property
    def measured(self) -> Path:
        """What `ganops recipes` has measured before; `make clean` removes it."""
        return self.root / "build" / "recipes.json"

    @property
    def outcome(self) -> Path:
        """The last lines of the last flow."""
        return self.results / "outcome.txt"

    @property
    def searches(self) -> Path:
        """The folder of search spaces, one file for each recipe that has one."""
        return self.root / "pipeline" / "searches"

    def searched(self, recipe: str) -> Path:
        """The folder with the database, the trials and the report of the search for a better recipe."""
        return self.results / "search" / recipe

    def recipe(self, name: str) -> Path:
        """The file of one recipe."""
        return self.recipes / f"{name}.yaml"

    def code(self, recipe: str) -> Path:
        """The digest of the code that a recipe reaches."""
        return self.codes / f"{recipe}.json"

    def trained(self, recipe: str) -> Path:
        """The folder with the trained model, its curves and its samples over time."""
        return self.results / "train" / recipe

    def model(self, recipe: str) -> Path:
        """The model folder of one recipe."""
        return self.trained(recipe) / "model"

    def run_file(self, recipe: str) -> Path:
        """The id of the MLflow run of this recipe's training."""
        return self.results / "runs" / f"{recipe}.json"

    def evaluated(self, recipe: str) -> Path:
        """The folder with scores, figures and tables of one recipe."""
        return self.results / "evaluate" / recipe


def how_to_enter(folder: Path) -> str:
    """What to do in a folder that is not the root of a checkout: where that is, as far as it is known."""
    for above in folder.resolve().parents:
        if Workspace(above).params.is_file() and Workspace(above).recipes.is_dir():
            return f"run this in the root of the checkout: cd {shlex.quote(str(above))}"
    return "run this in the root of a checkout"


WORKSPACE = Workspace()
