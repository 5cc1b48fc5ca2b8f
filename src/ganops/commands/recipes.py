"""List the recipes, or show the networks of one layer by layer."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from statistics import median
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ganops.commands._measured import Measured
    from ganops.data.spec import DataSpec
    from ganops.recipe import Recipe

NOISE, BY_CLASS, ENCODERS = "From noise", "Of a class", "With an encoder"
PAIRS, DOMAINS, FROM_MODEL = "An image from an image", "Between domains, without pairs", "From a trained model"
FAMILIES = (NOISE, BY_CLASS, ENCODERS, PAIRS, DOMAINS, FROM_MODEL)
WITH_ENCODER, BETWEEN_CLASSES = ("bidirectional", "vae"), ("stargan",)  # kinds of games
UNIT = "dcgan"  # the recipe whose cost is 1
SIZE, CLASSES = 32, tuple("0123456789")  # the data assumed where none are prepared


@click.group(invoke_without_command=True, short_help="list the recipes, or show one")
@click.option("--quick", is_flag=True, help="Names and papers alone, without building any network.")
@click.pass_context
def command(context: click.Context, quick: bool) -> None:
    """List all recipes by family: what fits the prepared data, weights, and the cost of a training on them.

    Where nothing is prepared, the data are ten classes of grey 32 x 32 images. Cost is the operations of the generator
    for one row times the budget; 1 is that of dcgan. Minutes are estimated from what was trained in this checkout, to a
    factor of two. The presets of papers come last: they are too large to be built for a list.
    """
    if context.invoked_subcommand is not None:
        return
    from ganops.recipe import load_recipe, load_recipes, preset_files
    from ganops.workspace import WORKSPACE

    known = load_recipes(WORKSPACE.recipes)
    facts = {} if quick else _facts(known)
    heading = ["", "what it is"] if quick else ["", "fits", "weights", "cost", "minutes", "what it is"]
    for family in FAMILIES:
        rows = [
            [name, *facts.get(name, []), f"{recipe.summary} ({recipe.paper})"]
            for name, recipe in known.items()
            if family_of(recipe) == family
        ]
        if rows:
            click.echo(columns([[family, *heading[1:]], *rows], right=() if quick else (2, 3, 4)) + "\n")
    presets = {name: load_recipe(file) for name, file in preset_files(WORKSPACE.recipes).items()}
    if presets:
        rows = [["Presets in the size of the paper", "what it is"]]
        rows += [[name, f"{recipe.summary} ({recipe.paper})"] for name, recipe in presets.items()]
        click.echo(columns(rows))


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the task and the networks of the recipe NAME, layer by layer, with output shapes and numbers of weights.

    Of discriminators that judge patches: how many pixels a patch has.
    """
    from ganops.commands._networks import layers, patches, summarize
    from ganops.recipe import find_recipe, load_recipe
    from ganops.workspace import WORKSPACE

    recipe, data = load_recipe(find_recipe(name, WORKSPACE.recipes)), data_spec()
    click.echo(f"{name}: {recipe.summary}\n{recipe.paper}\n{summarize(recipe, data).task}")
    sides = patches(recipe, data)
    for network, found in layers(recipe, data).items():
        total = sum(layer.weights for layer in found)
        rows = [[network, "layer", "output", "weights"]]
        rows += [[f"  {layer.path}", layer.kind, layer.output, f"{layer.weights:,}"] for layer in found]
        click.echo("\n" + columns([*rows, ["  total", "", "", f"{total:,}"]], right={3}))
        if network in sides:
            click.echo(f"  sees patches of {' and '.join(f'{side} x {side}' for side in sides[network])} pixels")


def data_spec() -> DataSpec:
    """The spec of the prepared data; where nothing is prepared, ten classes of grey 32 x 32 images."""
    from ganops.data.fields.category import CategoryField
    from ganops.data.fields.image import ImageField
    from ganops.data.manifest import read_manifest
    from ganops.data.spec import IMAGE, LABEL, DataSpec
    from ganops.errors import DataError
    from ganops.workspace import WORKSPACE

    try:
        return read_manifest(WORKSPACE.prepared).spec
    except DataError:
        return DataSpec(fields={IMAGE: ImageField(channels=1, size=SIZE), LABEL: CategoryField(classes=CLASSES)})


def family_of(recipe: Recipe) -> str:
    """One of FAMILIES, by what the recipe needs and derives."""
    if recipe.init is not None:
        return FROM_MODEL
    if "domains" in recipe.needs or recipe.game["kind"] in BETWEEN_CLASSES:
        return DOMAINS
    if "pairs" in recipe.needs or recipe.derived:
        return PAIRS
    if recipe.game["kind"] in WITH_ENCODER:
        return ENCODERS
    return BY_CLASS if "labels" in recipe.needs else NOISE


def _facts(known: Mapping[str, Recipe]) -> dict[str, list[str]]:
    """Of each recipe: whether it fits the data, its weights, its cost, and minutes where they can be estimated."""
    from ganops.commands._measured import measured

    found = measured(known, _measure)
    built = {name: each for name, each in found.items() if each.flops}
    costs = {name: each.flops * known[name].budget_kimg for name, each in built.items()}
    minutes = _minutes_of_cost({name: each.flops for name, each in built.items()})
    unit = costs.get(UNIT) or min(costs.values(), default=1)
    facts = {name: [each.fits, "-", "-", "-"] for name, each in found.items()}
    for name, cost in costs.items():
        estimate = "-" if minutes is None else f"{cost * minutes:,.1f}"
        facts[name][1:] = [f"{built[name].weights:,}", f"{cost / unit:.1f}", estimate]
    return facts


def _measure(name: str, recipe: Recipe) -> Measured:
    """Build the networks of a recipe for the prepared data, and run them."""
    from ganops.commands._measured import Measured
    from ganops.commands._networks import Summary, summarize
    from ganops.errors import GanopsError
    from ganops.params import TrainParams
    from ganops.training.job import TrainingJob

    data, fits, found = data_spec(), "yes", Summary("", {}, 0)
    try:
        found = summarize(recipe, data)
    except GanopsError as error:
        fits = f"no: {error.code}"
    # Building again costs as much as everything else, so only what may lack something is asked.
    if recipe.needs or not found.flops:
        problems = TrainingJob(name, recipe, TrainParams(), 0, data, "").problems(count=recipe.images or 0)
        fits = f"no: {problems[0].code}" if problems else fits
    return Measured(fits, sum(found.weights.values()), found.flops)


def _minutes_of_cost(flops: Mapping[str, int]) -> float | None:
    """Minutes for a row of one operation and a budget of one, the median of what was trained in this checkout."""
    from ganops.workspace import WORKSPACE

    rates = list[float]()
    for name, each in flops.items():
        with suppress(OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
            facts = json.loads((WORKSPACE.trained(name) / "training.json").read_text(encoding="utf-8"))
            rates.append(facts["seconds"] / 60 / (each * facts["kimg"]))
    return median(rates) if rates else None


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Rows as columns two spaces apart; those in `right` are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    adjust = [str.rjust if place in right else str.ljust for place in range(len(widths))]
    lines = ([pad(cell, width) for pad, cell, width in zip(adjust, row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join(line).rstrip() for line in lines)
