"""What makes a search impossible, as far as it is known before the first trial."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ganops.check import impossible
from ganops.data.unaltered import require_unaltered
from ganops.errors import GanopsError, SearchError
from ganops.evaluation.directions import domain_folder
from ganops.evaluation.evaluate import open_evaluator
from ganops.games.build import outline_game
from ganops.params import AUTO
from ganops.workspace import WORKSPACE

if TYPE_CHECKING:
    from ganops.search.order import Order

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MARK = "# Found by `ganops search"  # how a recipe file begins that a search has written


def obstacles(order: Order) -> Iterator[GanopsError]:
    """Yield everything that makes the search impossible; what depends on an earlier obstacle is left out."""
    try:
        order.own_values  # noqa: B018 - raises what is wrong with the space
        yield from _of_settings(order)
        require_unaltered(WORKSPACE.prepared, order.manifest)
        yield from impossible(order.params, order.manifest, {order.name: order.job(order.recipe)})
        yield from _of_extremes(order)
        order.validation  # noqa: B018
        _check_reference(order)
        _check_name(order)
    except GanopsError as error:
        yield error


def _of_settings(order: Order) -> Iterator[GanopsError]:
    params = order.params
    if AUTO in (params.compare.metric, params.evaluate.features):
        yield SearchError(
            "what `auto` in params.yaml stands for with these data is not known yet",
            code="unresolved",
            action="run `dvc repro reference` first",
        )
    if params.train.debug != "off":
        yield SearchError("train.debug is on", code="debug", found=params.train.debug, action="set train.debug: off")
    if params.train.processes > 1:
        yield SearchError(
            "the trials of a search take one process each",
            code="several-processes",
            found=f"train.processes: {params.train.processes}",
            action="set train.processes: 1, and let several trials run at once with --parallel",
        )
    if order.budget.kimg is not None:
        steps = order.budget.kimg * 1000 / _largest_batch(order)
        if steps < 2 * order.space.validations:
            yield SearchError(
                f"{order.budget} are too few for {order.space.validations} validations",
                code="budget-too-short",
                expected="two steps of the largest batch between validations",
                found=f"{steps:.1f} steps in all",
                action="give a longer --budget, or fewer `validations` in the search space",
            )


def _largest_batch(order: Order) -> float:
    parameter = order.space.space.get("batch_size")
    turns = max(order.recipe.turns.values(), default=1)
    return turns * float(max(parameter.extremes) if parameter else order.recipe.batch_size)


def _of_extremes(order: Order) -> Iterator[GanopsError]:
    """What is impossible at the ends of each parameter, the others as the recipe has them."""
    for key, parameter in order.space.space.items():
        for value in parameter.extremes:
            where = f"{order.where}: {key} = {value}"
            try:
                recipe = order.space.variant(order.recipe, {key: value}, where)
                yield from order.job(recipe, where).problems(order.manifest.counts["train"])
            except GanopsError as error:
                yield error


def _check_reference(order: Order) -> None:
    """Open what full scores need, so that it does not fail after all trials."""
    job = order.job(order.recipe)
    for task in outline_game(order.recipe, job.spec, order.where).tasks.values():
        reference, data = (domain_folder(each, task, job.spec) for each in (WORKSPACE.reference, WORKSPACE.prepared))
        open_evaluator(reference, data, order.params.evaluate, order.params.seed, inputs=WORKSPACE.prepared)


def _check_name(order: Order) -> None:
    file = WORKSPACE.recipe(order.found)
    if not NAME.fullmatch(order.found):
        raise SearchError(
            f"'{order.found}' cannot be the name of a recipe",
            code="bad-name",
            expected="small letters, digits and single dashes between them",
            action="give another --name",
        )
    if file.exists() and not file.read_text(encoding="utf-8").startswith(MARK):
        raise SearchError(
            f"{file} exists, and no search has written it",
            code="recipe-exists",
            action="give another name for the recipe that is found: --name",
        )
