"""What is asked of a search."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from ganops.check import one_list
from ganops.data.manifest import Manifest, read_manifest
from ganops.errors import SearchError
from ganops.evaluation.metric import Metric
from ganops.evaluation.metric_groups import group_of_metric
from ganops.evaluation.metric_names import base_of, describe
from ganops.evaluation.validation_metric import NoValidation, ValidationMetric
from ganops.games.build import outline_game
from ganops.params import EvaluateParams, Params
from ganops.recipe import Recipe, find_recipe, load_recipe
from ganops.resolved import load_params
from ganops.search.budget import Budget, with_budget
from ganops.search.obstacles import obstacles
from ganops.search.space import SearchSpace, load_space
from ganops.search.trial_folder import TrialFolder
from ganops.tracked_training import open_validation
from ganops.training.job import TrainingJob
from ganops.workspace import WORKSPACE


@dataclass(frozen=True)
class Order:
    """One search.

    trials: in all, those of former commands counted. seed: of the proposals; trainings have that of params.yaml.
    top: how many of the best trials are trained again, each with `seeds` seeds. found: name of the recipe that the
    winner becomes.
    """

    name: str
    recipe: Recipe
    space: SearchSpace
    where: str
    params: Params
    manifest: Manifest
    budget: Budget
    trials: int
    seed: int
    top: int
    seeds: int
    found: str

    @property
    def folder(self) -> Path:
        """The folder of the search, absolute."""
        return WORKSPACE.searched(self.name).resolve()

    @cached_property
    def own_values(self) -> dict[str, Any]:
        """The recipe's own value of each parameter."""
        return self.space.own_values(self.recipe, self.where)

    @cached_property
    def validation(self) -> ValidationMetric:
        """What trials are compared by; raises SearchError where there is nothing."""
        job = self.job(self.recipe)
        found = open_validation(job, outline_game(self.recipe, job.spec, self.where))
        if isinstance(found, NoValidation):
            raise SearchError(
                f"nothing tells whether a trial of '{self.name}' is better than another",
                code="no-validation",
                expected="a validation metric",
                found=found.reason,
                action="take data with images or classes that validation metrics can look at",
            )
        return found

    @property
    def metric(self) -> Metric:
        """What the best trials are compared by after training: compare.metric of params.yaml."""
        return describe(self.params.compare.metric)

    def job(self, recipe: Recipe, where: str = "") -> TrainingJob:
        """The training of a variant of the recipe, without the model that it may start from. where: for messages."""
        return TrainingJob(
            *(self.name, recipe, self.params.train, self.params.seed, self.manifest.spec, self.manifest.digest),
            where=where or self.where,
        )

    def variant(self, values: dict[str, Any]) -> Recipe:
        """The recipe with values of parameters and the budget, as far as it is known without a measurement."""
        recipe = self.space.variant(self.recipe, values, self.where)
        kimg = self.budget.kimg
        if kimg is None:
            return recipe
        return with_budget(recipe, kimg, self.space.validations, self.params.train.budget_scale)

    def trial_folder(self, number: int) -> TrialFolder:
        """The folder of one trial."""
        return TrialFolder(self.folder / "trials" / f"{number:04d}")

    def seed_folder(self, number: int, seed: int) -> TrialFolder:
        """The folder of one trial's training with another seed."""
        return TrialFolder(self.folder / "seeds" / f"{number:04d}-{seed}")

    def identity(self) -> dict[str, str]:
        """What must be equal for trials to compare, by name."""
        return {
            "recipe": self.recipe.digest()[:12],
            "space": hash_of(self.space.model_dump_json()),
            "budget": str(self.budget),
            "seed": f"{self.seed} and {self.params.seed}",
            "data": self.manifest.digest[:12],
            "validation": f"{self.validation.name} {self.validation.digest[:12]}",
            "params.train": hash_of(self.params.train.model_dump_json(exclude={"checkpoint_seconds"})),
            "metric": self.params.compare.metric,
            "evaluate": hash_of(final_protocol(self.params).model_dump_json(exclude={"batch_size"})),
            "code": self.job(self.recipe).code_digest()[:12],
            "torch": torch.__version__,
        }


def final_protocol(params: Params) -> EvaluateParams:
    """How finals are scored: by the group of the metric that compares recipes alone."""
    group = group_of_metric(base_of(params.compare.metric)) or ""
    return params.evaluate.model_copy(update={"metrics": {group: params.evaluate.metrics[group]}})


def hash_of(text: str) -> str:
    """A short digest."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def make_order(name: str, *, budget: Budget, trials: int, seed: int, top: int, seeds: int, found: str | None) -> Order:
    """Read everything that the search of a recipe needs, and check it.

    Raises SearchError where Optuna is missing, and one error with all that is impossible.
    """
    require_optuna()
    params, manifest = load_params(WORKSPACE.params), read_manifest(WORKSPACE.prepared)
    file = find_recipe(name, WORKSPACE.recipes)
    recipe, path = load_recipe(file), WORKSPACE.searches / f"{file.stem}.yaml"
    order = Order(
        name=file.stem,
        recipe=recipe,
        space=load_space(path, file.stem),
        where=str(path),
        params=params,
        manifest=manifest,
        budget=Budget(kimg=recipe.budget_kimg * params.train.budget_scale) if budget == Budget() else budget,
        trials=trials,
        seed=seed,
        top=top,
        seeds=seeds,
        found=found or f"{file.stem}-found",
    )
    if errors := list(obstacles(order)):
        raise errors[0] if len(errors) == 1 else one_list(errors)
    return order


def require_optuna() -> None:
    """Raise SearchError where the package is missing that proposes trials."""
    if find_spec("optuna") is None:
        raise SearchError(
            "`ganops search` needs the package optuna",
            code="no-optuna",
            action="make env EXTRAS=search, or pip install 'ganops[search]'",
        )
