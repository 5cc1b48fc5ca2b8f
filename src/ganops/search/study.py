"""The trials of one search in an Optuna study, in a database of its own: proposed, reported, ended, each once.

One process alone writes to it, so that it needs no server; the trainings know nothing of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import OptunaError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from ganops.errors import SearchError
from ganops.search.space import Parameter, SearchSpace
from ganops.search.trial_folder import Outcome, Report
from ganops.seeds import seed_for

FEWEST_FOR_IMPORTANCE = 4  # complete trials
DAMAGED = ("malformed", "not a database", "no such table", "table schema")  # in the words of SQLite and Optuna
STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


@dataclass(frozen=True)
class Trial:
    """One trial: its parameters as values of the recipe, and what came out.

    state: "running" too where the search was killed. value: of the metric. reports: value by number of validation.
    """

    number: int
    values: Mapping[str, Any]
    state: str
    value: float | None
    reports: Mapping[int, float] = field(default_factory=dict)
    kimg: float | None = None
    images_per_second: float | None = None
    reason: str = ""


@contextmanager
def readable_errors(path: Path) -> Generator[None]:
    """Turn what Optuna and its database raise in the block into a SearchError about the study at `path`."""
    try:
        yield
    except (OptunaError, SQLAlchemyError) as error:
        raise _unusable(path, error.__cause__ or error) from error


class Study:
    """The study of one recipe at `path`, made where it is missing.

    identity: everything that must be equal for results to compare, by name. own_values: of the recipe, which the first
    trial takes. is_new: it was made just now.
    Raises SearchError (code "other-search") where the study has another identity.
    """

    def __init__(
        self,
        path: Path,
        space: SearchSpace,
        own_values: Mapping[str, Any],
        better: Literal["lower", "higher"],
        seed: int,
        identity: Mapping[str, str],
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self.own_values, self.better, self.seed = space, own_values, better, seed
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._study = optuna.create_study(
                storage=optuna.storages.RDBStorage(f"sqlite:///{path.resolve()}"),
                study_name="search",
                load_if_exists=True,
                direction="minimize" if better == "lower" else "maximize",
                pruner=_pruner(space),
            )
        except RuntimeError as error:  # of a database that is not Optuna's, or another version's
            raise _unusable(path, error) from error
        self.is_new = "identity" not in self._study.user_attrs
        self._check_identity(path, identity)
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial({key: space.space[key].encode(value) for key, value in own_values.items()})

    @property
    def parent_run(self) -> str | None:
        """The MLflow run that all trials are nested under."""
        return self._study.user_attrs.get("parent_run")

    def set_parent_run(self, run_id: str) -> None:
        """Remember the MLflow run that all trials are nested under."""
        self._study.set_user_attr("parent_run", run_id)

    def trials(self) -> list[Trial]:
        """All trials in the order in which they were proposed."""
        found = self._study.get_trials(deepcopy=False)
        return [self._trial(each) for each in found if each.state != TrialState.WAITING]

    def ask(self) -> Trial:
        """The next proposal. The same trials before it give the same one, however often the search was killed."""
        self._sample(len(self._study.get_trials(deepcopy=False)))
        return self._propose(self._study.ask())

    def unfinished(self) -> list[Trial]:
        """The trials that were running when the search was killed."""
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        whole = set(self.space.space)
        return [self._trial(each) if set(each.params) == whole else self._again(each) for each in running]

    def report(self, number: int, reports: tuple[Report, ...]) -> bool:
        """Record the validations of a trial; whether it should be pruned. The first trial, the recipe itself, never is.

        Trials are compared at the same validation, so by share of their budget.
        """
        frozen = self._frozen(number)
        trial = self._open(frozen)
        hopeless = False
        for place, each in enumerate(reports, start=1):
            if place not in frozen.intermediate_values:
                trial.report(each.value, place)
                hopeless = hopeless or (number > 0 and place < self.space.validations and trial.should_prune())
        return hopeless

    def tell(self, number: int, outcome: Outcome) -> Trial:
        """End a trial with what its training left; an unhealthy one has failed."""
        trial = self._open(self._frozen(number))
        trial.set_user_attr("kimg", outcome.kimg)
        trial.set_user_attr("images_per_second", outcome.images_per_second)
        if outcome.state == "unhealthy":
            return self.fail(number, f"unhealthy: {outcome.reason}")
        if outcome.state == "pruned":
            self._study.tell(number, state=TrialState.PRUNED)
        else:
            self._study.tell(number, outcome.value)
        return self._trial(self._frozen(number))

    def fail(self, number: int, reason: str) -> Trial:
        """End a trial without a value."""
        self._open(self._frozen(number)).set_user_attr("reason", reason)
        self._study.tell(number, state=TrialState.FAIL)
        return self._trial(self._frozen(number))

    def importances(self) -> dict[str, float]:
        """The share of the metric's variation among good trials that each parameter explains (PED-ANOVA, Watanabe et
        al. 2023, arXiv:2304.10255); nothing where there are too few complete trials.
        """
        complete = [each for each in self.trials() if each.state == "complete"]
        if len(complete) < FEWEST_FOR_IMPORTANCE or len({each.value for each in complete}) < 2:
            return {}
        return dict(optuna.importance.get_param_importances(self._study))

    def _check_identity(self, path: Path, identity: Mapping[str, str]) -> None:
        known: dict[str, str] | None = self._study.user_attrs.get("identity")
        if known is None:
            self._study.set_user_attr("identity", dict(identity))
            return
        if other := sorted(name for name in {**known, **identity} if known.get(name) != identity.get(name)):
            raise SearchError(
                f"{path.parent} holds a search with other settings, whose trials do not compare",
                code="other-search",
                expected="; ".join(f"{name}: {known.get(name)}" for name in other),
                found="; ".join(f"{name}: {identity.get(name)}" for name in other),
                action="give the same settings to continue it, or --restart to remove it and start from scratch",
            )

    def _sample(self, known: int) -> None:
        """Let the proposal after `known` trials follow from them and the seed alone."""
        seed = seed_for(self.seed, known) % 2**32
        self._study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=self.space.random_trials)

    def _again(self, killed: FrozenTrial) -> Trial:
        """A trial that was killed before it had all its parameters; the recipe itself has its own in any case."""
        self._sample(killed.number)
        return self._propose(self._open(killed))

    def _propose(self, asked: optuna.trial.Trial) -> Trial:
        for key, parameter in self.space.space.items():
            asked._suggest(key, _distribution(parameter))
        return self._trial(self._frozen(asked.number))

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[number]

    def _open(self, frozen: FrozenTrial) -> optuna.trial.Trial:
        return optuna.trial.Trial(self._study, frozen._trial_id)

    def _trial(self, found: FrozenTrial) -> Trial:
        proposed = {key: self.space.space[key].decode(value) for key, value in found.params.items()}
        return Trial(
            number=found.number,
            values=proposed if found.number else dict(self.own_values),  # the recipe's may have more digits
            state=STATES.get(found.state, "running"),
            value=found.value if found.state == TrialState.COMPLETE else None,
            reports=dict(found.intermediate_values),
            kimg=found.user_attrs.get("kimg"),
            images_per_second=found.user_attrs.get("images_per_second"),
            reason=found.user_attrs.get("reason", ""),
        )


def _unusable(path: Path, error: BaseException) -> SearchError:
    found = str(getattr(error, "orig", error)).partition("\n")[0]
    damaged = any(words in found for words in DAMAGED)
    return SearchError(
        f"the study {path} {'is damaged' if damaged else 'cannot be used'}",
        code="study-damaged" if damaged else "study-unusable",
        expected="a database of Optuna that this user can write, on a disk with room",
        found=found,
        action="start the search from scratch: --restart"
        if damaged
        else "correct that, and run the same command again: it continues after the last trial on record",
        exit_code=1 if damaged else os.EX_TEMPFAIL,
    )


def _distribution(parameter: Parameter) -> BaseDistribution:
    if parameter.choices is not None:
        return CategoricalDistribution([json.dumps(choice) for choice in parameter.choices])
    low, high = parameter.range
    if parameter.whole:
        return IntDistribution(int(low), int(high), log=parameter.log)
    return FloatDistribution(low, high, log=parameter.log)


def _pruner(space: SearchSpace) -> optuna.pruners.BasePruner:
    if space.pruner == "median":  # the first validation, early in a training, says little
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2)
    if space.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=space.validations)
    return optuna.pruners.NopPruner()
