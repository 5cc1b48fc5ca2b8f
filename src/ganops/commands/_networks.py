"""What the networks of a recipe are made of and what they cost, found by building and playing them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ganops.data.spec import DataSpec
from ganops.games.build import build_game, recipe_spec
from ganops.games.game import Batch, Game, Request
from ganops.recipe import Recipe

PLAYED = 8  # images in the batch that shows the shapes: enough for packing and mini-batch statistics


@dataclass(frozen=True)
class Layer:
    """One layer: its place in the network, what it is, the shape it puts out for one sample, its own weights."""

    path: str
    kind: str
    output: str
    weights: int


@dataclass(frozen=True)
class Cost:
    """weights: of each network. flops: multiplications and additions for one generated image, each counted."""

    weights: dict[str, int]
    flops: int


def cost(recipe: Recipe, data: DataSpec) -> Cost:
    """Count what one generated image takes, by generating one."""
    game = build_game(recipe, recipe_spec(recipe, data)).eval()
    with FlopCounterMode(display=False) as counter:
        game.generate(Request(torch.randn(1, game.latent_dim), torch.zeros(1, dtype=torch.int64)))
    return Cost({name: _weights(network) for name, network in game.named_children()}, counter.get_total_flops())


def layers(recipe: Recipe, data: DataSpec) -> dict[str, list[Layer]]:
    """The layers of each network, in the order in which they were made."""
    spec = recipe_spec(recipe, data)
    game = build_game(recipe, spec)
    shapes = _played_shapes(game, spec)
    return {
        name: [
            Layer(path, _kind(layer), shapes.get(layer, ""), _weights(layer, own=bool(_parts(layer))))
            for path, layer in _visible(network)
        ]
        for name, network in game.named_children()
    }


def _played_shapes(game: Game, spec: DataSpec) -> dict[nn.Module, str]:
    """Output shapes without the batch, from one round of play and one of generation on random images."""
    shapes: dict[nn.Module, str] = {}

    def note(layer: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            shapes.setdefault(layer, " x ".join(map(str, output.shape[1:])) or "1")

    hooks = [layer.register_forward_hook(note) for layer in game.modules()]
    labels = torch.arange(PLAYED) % len(spec.classes) if spec.classes else None
    batch = Batch(torch.rand(PLAYED, *spec.shape) * 2 - 1, labels)
    for player in game.players:
        game.losses(player, batch, step=0)
    game.generate(Request(torch.randn(PLAYED, game.latent_dim), labels))
    for hook in hooks:
        hook.remove()
    return shapes


def _visible(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers without parts, and those that have weights of their own beside their parts."""
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
    return f"{name}({' '.join(layer.extra_repr().split())}){' with a normed weight' if normed else ''}"
