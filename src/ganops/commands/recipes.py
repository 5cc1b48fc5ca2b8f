"""List the recipes, or show the networks of one layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganops.errors import DataError, SettingsError

if TYPE_CHECKING:
    from ganops.data.spec import DataSpec
    from ganops.recipe import Recipe

FOLDER = Path("pipeline/recipes")
PREPARED = Path("data/prepared")
HEADING = f"{'weights':>12}  {'MFLOP/image':>11}"


@click.group(invoke_without_command=True, short_help="list the recipes, or show one")
@click.option("--quick", is_flag=True, help="Leave out weights and cost, for which each network is built.")
@click.pass_context
def command(context: click.Context, quick: bool) -> None:
    """List all recipes: weights of all networks, cost of one generated image, data needed, what it is.

    Sizes are those for the prepared data, or for ten classes of grey 32 x 32 images where there are none.
    """
    if context.invoked_subcommand is not None:
        return
    from ganops.recipe import load_recipe

    recipes = {file.stem: load_recipe(file) for file in sorted(FOLDER.glob("*.yaml"), key=lambda file: file.stem)}
    if not recipes:
        raise SettingsError(f"there are no recipes in {FOLDER}", action="run this in the root of the checkout")
    width = max(map(len, recipes))
    click.echo(f"{'recipe':{width}}{'' if quick else HEADING}  needs   what it is")
    for name, recipe in recipes.items():
        needs = ", ".join(recipe.needs) or "-"
        click.echo(f"{name:{width}}{'' if quick else _size(recipe)}  {needs:6}  {recipe.summary} ({recipe.paper})")


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the networks of the recipe NAME, layer by layer, with the shape each puts out and its weights."""
    from ganops.commands._networks import layers
    from ganops.recipe import find_recipe, load_recipe

    recipe = load_recipe(find_recipe(name, FOLDER))
    click.echo(f"{name}: {recipe.summary}\n{recipe.paper}")
    for network, found in layers(recipe, data_spec()).items():
        total = sum(layer.weights for layer in found)
        rows = [(network, "layer", "output", "weights")]
        rows += [(f"  {layer.path}", layer.kind, layer.output, f"{layer.weights:,}") for layer in found]
        click.echo("\n" + columns([*rows, ("  in all", "", "", f"{total:,}")]))


def data_spec() -> DataSpec:
    """The shape of the prepared data; where nothing is prepared, ten classes of grey 32 x 32 images."""
    from ganops.data.manifest import read_manifest
    from ganops.data.spec import DataSpec

    try:
        return read_manifest(PREPARED).spec
    except DataError:
        return DataSpec(shape=(1, 32, 32), classes=tuple("0123456789"))


def _size(recipe: Recipe) -> str:
    from ganops.commands._networks import cost

    found = cost(recipe, data_spec())
    return f"{sum(found.weights.values()):>12,}  {found.flops / 1e6:>11,.1f}"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns two spaces apart, the last one flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ([*map(str.ljust, row[:-1], widths), row[-1].rjust(widths[-1])] for row in rows)
    return "\n".join("  ".join(line).rstrip() for line in lines)
