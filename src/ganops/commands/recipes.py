"""List the recipes, or show the networks of one layer by layer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ganops.data.spec import DataSpec
    from ganops.recipe import Recipe

SIZE, CLASSES = 32, tuple("0123456789")  # the data assumed where none are prepared


@click.group(invoke_without_command=True, short_help="list the recipes, or show one")
@click.option("--quick", is_flag=True, help="Without task, weights and cost, for which each network is built.")
@click.pass_context
def command(context: click.Context, quick: bool) -> None:
    """List all recipes: what they generate from what, weights of all networks, cost of one row, data needed.

    Then the presets of papers, which are too large to be built for that.

    They are built for the prepared data, or for ten classes of grey 32 x 32 images where there are none.
    """
    if context.invoked_subcommand is not None:
        return
    from ganops.recipe import load_recipe, load_recipes, preset_files
    from ganops.workspace import WORKSPACE

    heading = ["recipe", *([] if quick else ["task", "weights", "MFLOP/row"]), "needs", "what it is"]
    rows = [heading]
    data = None if quick else data_spec()
    for name, recipe in load_recipes(WORKSPACE.recipes).items():
        described = [] if data is None else _described(recipe, data)
        needs = ", ".join(recipe.needs) or "-"
        rows.append([name, *described, needs, f"{recipe.summary} ({recipe.paper})"])
    click.echo(columns(rows, right=() if quick else (2, 3)))
    presets = {name: load_recipe(file) for name, file in preset_files(WORKSPACE.recipes).items()}
    if presets:
        rows = [["preset", "what it is, in the size of the paper"]]
        rows += [[name, f"{recipe.summary} ({recipe.paper})"] for name, recipe in presets.items()]
        click.echo("\n" + columns(rows))


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the task and the networks of the recipe NAME, layer by layer, with output shapes and numbers of weights."""
    from ganops.commands._networks import layers, summarize
    from ganops.recipe import find_recipe, load_recipe
    from ganops.workspace import WORKSPACE

    recipe, data = load_recipe(find_recipe(name, WORKSPACE.recipes)), data_spec()
    click.echo(f"{name}: {recipe.summary}\n{recipe.paper}\n{summarize(recipe, data).task}")
    for network, found in layers(recipe, data).items():
        total = sum(layer.weights for layer in found)
        rows = [[network, "layer", "output", "weights"]]
        rows += [[f"  {layer.path}", layer.kind, layer.output, f"{layer.weights:,}"] for layer in found]
        click.echo("\n" + columns([*rows, ["  total", "", "", f"{total:,}"]], right={3}))


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


def _described(recipe: Recipe, data: DataSpec) -> list[str]:
    """Task, weights and cost; dashes for a recipe that cannot be built for these data."""
    from ganops.commands._networks import summarize
    from ganops.errors import SettingsError

    try:
        found = summarize(recipe, data)
    except SettingsError:
        return ["not for these data", "-", "-"]
    return [found.task, f"{sum(found.weights.values()):,}", f"{found.flops / 1e6:,.1f}"]


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Rows as columns two spaces apart; those in `right` are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    adjust = [str.rjust if place in right else str.ljust for place in range(len(widths))]
    lines = ([pad(cell, width) for pad, cell, width in zip(adjust, row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join(line).rstrip() for line in lines)
