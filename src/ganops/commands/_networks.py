"""What the networks of a recipe are made of and what they cost, found by building and running them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ganops.data.derived.derivation import with_derived
from ganops.data.fields.field import Field, Schema
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.build import build_game, outline_game, recipe_spec
from ganops.games.game import Game
from ganops.networks.network import PatchDiscriminator
from ganops.recipe import Recipe

BATCH = 8  # rows in the batch that shows the shapes: enough for packing and mini-batch statistics


@dataclass(frozen=True)
class Layer:
    """One layer: its place in the network, its class, the shape of its output for one row, its own weights."""

    path: str
    kind: str
    output: str
    weights: int


@dataclass(frozen=True)
class Summary:
    """task: inputs and outputs. weights: of each network. flops: multiplications and additions for one row."""

    task: str
    weights: dict[str, int]
    flops: int


def summarize(recipe: Recipe, data: DataSpec) -> Summary:
    """Build the networks of a recipe and count what generating one row takes."""
    game = build_game(recipe, recipe_spec(recipe, data)).eval()
    with FlopCounterMode(display=False) as counter:  # which needs gradients
        game.generate(_request(game, 1))
    weights = {name: _weights(network) for name, network in game.named_children()}
    tasks = [f"{_names(task.inputs) or 'noise'} -> {_names(task.outputs)}" for task in game.tasks.values()]
    return Summary("; ".join(tasks), weights, counter.get_total_flops())


def layers(recipe: Recipe, data: DataSpec) -> dict[str, list[Layer]]:
    """The layers of each network, in the order in which they were made."""
    spec = recipe_spec(recipe, data)
    game = build_game(recipe, spec)
    shapes = _output_shapes(game, spec)
    return {
        name: [
            Layer(path, _kind(layer), shapes.get(layer, ""), _weights(layer, own=bool(_parts(layer))))
            for path, layer in _visible(network)
        ]
        for name, network in game.named_children()
    }


def patches(recipe: Recipe, data: DataSpec) -> dict[str, tuple[int, ...]]:
    """Of each discriminator that judges patches, their sides in pixels; see PatchDiscriminator."""
    networks = outline_game(recipe, recipe_spec(recipe, data)).named_children()
    found = {name: network.patches for name, network in networks if isinstance(network, PatchDiscriminator)}
    return {name: sides for name, sides in found.items() if sides}


def _output_shapes(game: Game, spec: DataSpec) -> dict[nn.Module, str]:
    """Output shapes without the batch, from one step of training and one of generation on random rows."""
    shapes: dict[nn.Module, str] = {}

    def note(layer: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            shapes.setdefault(layer, " x ".join(map(str, output.shape[1:])) or "1")

    hooks = [layer.register_forward_hook(note) for layer in game.modules()]
    batch = with_derived(_random(spec.fields, BATCH), spec)
    for player in game.players:
        game.losses(player, batch, 0)
    game.generate(_request(game, BATCH))
    for hook in hooks:
        hook.remove()
    return shapes


def _request(game: Game, count: int) -> Rows:
    return _random({**game.task.inputs, **game.task.latents}, count)


def _random(schema: Schema, count: int) -> Rows:
    """Modelled rows of any schema: zeros as they are stored, with noise where they are real numbers."""
    return Rows({name: _random_column(field, count) for name, field in schema.items()})


def _random_column(field: Field, count: int) -> Tensor:
    modelled = field.to_model(torch.zeros(count, *field.shape, dtype=field.storage))
    return modelled + torch.randn_like(modelled) if modelled.is_floating_point() else modelled


def _names(schema: Schema) -> str:
    return " + ".join(schema)


def _visible(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers without parts, and those that have weights of their own in addition to their parts."""
    for path, layer in network.named_modules():
        hidden = "parametrizations" in path.split(".")
        if not hidden and path and (not _parts(layer) or _weights(layer, own=True)):
            yield path, layer
    if _parts(network) and _weights(network, own=True):
        yield "(itself)", network


def _parts(layer: nn.Module) -> list[str]:
    return [name for name, _ in layer.named_children() if name != "parametrizations"]


def _weights(layer: nn.Module, own: bool = False) -> int:
    return sum(parameter.numel() for parameter in layer.parameters(recurse=not own))


def _kind(layer: nn.Module) -> str:
    normed = "parametrizations" in dict(layer.named_children())
    name = type(layer).__name__.removeprefix("Parametrized")
    return f"{name}({' '.join(layer.extra_repr().split())}){' with a normalised weight' if normed else ''}"
