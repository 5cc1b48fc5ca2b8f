"""Playing a game in tests the way the trainer does: players in turn, gradients for the turning player only."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.games.game import Batch, Game, Losses
from ganops.recipe import Recipe

DIGITS = ("0", "1", "2", "3")

RECIPE: dict[str, Any] = {
    "summary": "a small pair",
    "paper": "none",
    "game": {"kind": "unconditional", "loss": "hinge"},
    "networks": {
        "generator": {"kind": "mlp-generator", "widths": [4], "latent_dim": 7},
        "discriminator": {"kind": "mlp-discriminator", "widths": [4]},
    },
    "optimizers": {"generator": {"lr": 1e-3}, "discriminator": {"lr": 1e-3}},
    "batch_size": 4,
    "budget_kimg": 1,
}


def recipe(**changes: Any) -> Recipe:
    """The recipe with some keys replaced; a dotted key, its dots as double underscores, reaches inside."""
    sections = copy.deepcopy(RECIPE)
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = sections
        for key in outer:
            place = place[key]
        place[last] = value
    return Recipe.model_validate(sections)


def spec_of(channels: int, size: int, classes: tuple[str, ...] = ()) -> DataSpec:
    """Data of `size` pixels."""
    return DataSpec(shape=(channels, size, size), classes=classes)


def random_batch(spec: DataSpec, count: int = 4) -> Batch:
    """Images of uniform noise, channels last, with labels in turn where the data have classes."""
    images = (torch.rand(count, *spec.shape) * 2 - 1).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(count) % len(spec.classes) if spec.classes else None
    return Batch(images, labels)


def optimizers_of(
    game: Game, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)
) -> dict[str, torch.optim.Optimizer]:
    """One Adam per player."""
    return {
        name: torch.optim.Adam([p for part in player.networks for p in getattr(game, part).parameters()], lr, betas)
        for name, player in game.players.items()
    }


def run_step(game: Game, batch: Batch, step: int, optimizers: Mapping[str, torch.optim.Optimizer]) -> dict[str, Losses]:
    """Every player's turn once, each with an optimiser step; what each gave."""
    turns = {}
    for name in game.players:
        turns[name] = game.losses(name, batch, step)
        parameters = [p for group in optimizers[name].param_groups for p in group["params"]]
        torch.autograd.backward(turns[name].total, inputs=parameters)
        optimizers[name].step()
        optimizers[name].zero_grad()
        game.on_optimizer_step(name)
    game.on_step_end(processes=1)
    return turns


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """A copy of a network's parameters."""
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


def moved(network: nn.Module, before: Mapping[str, Tensor]) -> list[str]:
    """Names of the parameters that are not what they were."""
    return [name for name, parameter in network.named_parameters() if not torch.equal(parameter, before[name])]
