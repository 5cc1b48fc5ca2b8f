"""The folder of one training of a search: how the search and the process that trains talk to each other.

Files alone, so that it works the same for a child process and for a node of a cluster that shares the checkout, and so
that whatever is killed finds everything where it was.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ganops.atomic import write_text
from ganops.errors import SearchError
from ganops.evaluation.scores import Scores, read_scores
from ganops.params import Params
from ganops.recipe import Recipe
from ganops.search.process import LOG
from ganops.settings import Settings
from ganops.tracked_training import Places

State = Literal["complete", "pruned", "unhealthy"]


class Assignment(Settings):
    """What is to be trained.

    name: of the MLflow run. seconds: the time from which the recipe's budget is still to be worked out. validations: of
    the training. scored: whether the model is kept and gets full scores. tags: of the run.
    """

    name: str
    params: Params
    recipe: Recipe
    seconds: float | None = None
    validations: int
    scored: bool = False
    tags: dict[str, str] = Field(default_factory=dict)


class Report(Settings):
    """One validation: after which step and kimg, and its value."""

    step: int
    kimg: float
    value: float


class Reports(Settings):
    """All validations so far."""

    reports: tuple[Report, ...] = ()


class Outcome(Settings):
    """How a training ended.

    value: of the validation metric at the step whose weights were selected; of a trial that ended early the last.
    images_per_second: shown, with validations; None where it ended too early to tell.
    weights: sha256 of each network's file; empty where it ended early.
    """

    state: State
    value: float | None
    reason: str = ""
    kimg: float
    images_per_second: float | None = None
    weights: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class TrialFolder:
    """The folder at `path`, absolute, of one training."""

    path: Path

    @property
    def log(self) -> Path:
        """What the process that trains prints."""
        return self.path / LOG

    @property
    def places(self) -> Places:
        """Where its training keeps and leaves what."""
        return Places(self.path / "unfinished", self.path, self.path / "run.json")

    def assign(self, assignment: Assignment) -> None:
        """Write down what is to be trained."""
        assignment.write(self.path / "assignment.json")

    def assignment(self) -> Assignment:
        """What is to be trained; raises SearchError when the file is missing or damaged."""
        path = self.path / "assignment.json"
        try:
            return Assignment.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise SearchError(
                f"{path} does not say what to train",
                code="damaged-assignment",
                found=str(error),
                action="start the search from scratch: --restart",
            ) from error

    def reports(self) -> tuple[Report, ...]:
        """The validations so far, in order."""
        try:
            text = (self.path / "reports.json").read_text(encoding="utf-8")
            return Reports.model_validate_json(text).reports
        except (OSError, ValidationError, UnicodeDecodeError):
            return ()  # none yet; a resumed training reports again what was lost

    def report(self, report: Report) -> None:
        """Add a validation; a training that was resumed reports those after its checkpoint once more."""
        known = {each.step: each for each in self.reports()} | {report.step: report}
        reports = Reports(reports=tuple(known[step] for step in sorted(known)))
        write_text(self.path / "reports.json", reports.model_dump_json() + "\n")

    def prune(self) -> None:
        """Ask the training to end: it is hopeless."""
        write_text(self.path / "pruned", "")

    @property
    def is_pruned(self) -> bool:
        """Whether the training was asked to end."""
        return (self.path / "pruned").is_file()

    def end(self, outcome: Outcome) -> None:
        """Write down how the training ended; everything else is on disk by now."""
        outcome.write(self.path / "outcome.json")

    def outcome(self) -> Outcome | None:
        """How the training ended; None while it has not."""
        try:
            return Outcome.model_validate_json((self.path / "outcome.json").read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError):
            return None

    def scores(self) -> Scores:
        """The full scores of a training that was `scored`."""
        return read_scores(self.path / "scores.json", "ganops search")

    def last_lines(self, count: int = 15) -> str:
        """The end of what the process printed."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
        return ""
