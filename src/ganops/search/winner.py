"""The winner as a recipe file, which trains the very same model in the pipeline as it did in the search."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from ganops.atomic import write_text
from ganops.recipe import Recipe, load_recipe
from ganops.reporting.scores import show
from ganops.search.finals import OWN, Final
from ganops.search.obstacles import MARK
from ganops.search.order import Order
from ganops.settings import flat
from ganops.workspace import WORKSPACE

VERDICTS = {"better": "better than", "worse": "worse than", "cannot tell": "too close to tell from", None: "not judged"}
NOT_COMPARED = {"summary", "paper"}


def write_winner(order: Order, final: Final) -> Path | None:
    """Write the winner's recipe; None where the recipe itself won.

    Its seed is null: with the seed of params.yaml it is the trial, bit for bit, with another seed that of the finals.
    """
    if final.winner.trial.number == OWN:
        return None
    recipe = final.winner.recipe.model_copy(update={"summary": f"{order.recipe.summary}, searched"})
    path = WORKSPACE.recipe(order.found)
    changed = [
        f"#   {key}: {json.dumps(new)}, not {json.dumps(old)}" for key, (old, new) in changes(order, recipe).items()
    ]
    lines = [
        f"{MARK} {order.name}`: trial {final.winner.trial.number} of {order.trials}, {order.budget} each.",
        f"# {sentence(order, final)}",
        f"# Changed from {WORKSPACE.recipe(order.name)}:",
        *changed,
    ]
    content = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, width=120, allow_unicode=True)
    write_text(path, "\n".join(lines) + "\n" + content)
    assert load_recipe(path) == recipe
    return path


def changes(order: Order, recipe: Recipe) -> dict[str, tuple[object, object]]:
    """The keys in which a recipe differs from the one that the search began with: old and new value."""
    old, new = (
        {key: value for key, value in flat(each.model_dump(mode="json")) if key not in NOT_COMPARED}
        for each in (order.recipe, recipe)
    )
    return {key: (old.get(key), new.get(key)) for key in {**old, **new} if old.get(key) != new.get(key)}


def sentence(order: Order, final: Final) -> str:
    """What the finals found, in one sentence."""
    seeds = f"{order.seeds} seed{'s' if order.seeds > 1 else ''}"
    own, best = show(final.own.mean), show(final.winner.mean)
    if final.winner.trial.number == OWN:
        return f"{order.name} itself keeps its place: {order.metric.title} {best}, mean of {seeds}; no trial is better."
    if final.own.mean is None:
        return f"{order.metric.title} {best}, mean of {seeds}; {order.name} itself fails with one of them."
    verdict = VERDICTS[final.verdict(final.winner)]
    return f"{order.metric.title} {best}, mean of {seeds}: {verdict} {order.name} itself, {own} with an equal budget."
