"""Small specs, batches and games for tests; played as training does, each player updating its own networks."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganops.data.derived.derivation import with_derived
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.fields.vector import VectorField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import Game, Losses
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

TRANSLATOR: dict[str, Any] = {"kind": "resnet-translator", "width": 4, "halvings": 1, "blocks": 1, "outer_kernel": 3}
PATCHGAN: dict[str, Any] = {"kind": "patchgan", "source": None, "width": 4, "layers": 1}
BOTH_DIRECTIONS: dict[str, dict[str, Any]] = {
    "a_to_b": TRANSLATOR | {"source": "A", "target": "B"},
    "b_to_a": TRANSLATOR | {"source": "B", "target": "A"},
    "discriminator_a": PATCHGAN | {"target": "A"},
    "discriminator_b": PATCHGAN | {"target": "B"},
}


def recipe(**changes: Any) -> Recipe:
    """The recipe with some keys replaced; double underscores in a name stand for dots of a nested key."""
    sections = copy.deepcopy(RECIPE)
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = sections
        for key in outer:
            place = place[key]
        place[last] = value
    return Recipe.model_validate(sections)


def spec_of(channels: int, size: int, classes: tuple[str, ...] = (), shares: tuple[float, ...] = ()) -> DataSpec:
    """Images of `size` pixels, with labels where there are classes."""
    fields: dict[str, Field] = {"image": ImageField(channels=channels, size=size)}
    return DataSpec(fields=fields | _label(classes, shares))


def domains_spec(channels: int, size: int, classes: tuple[str, ...] = ()) -> DataSpec:
    """Two domains of images of one form, without pairs, with labels where there are classes."""
    fields: dict[str, Field] = {}
    for domain in "AB":
        fields[domain] = ImageField(channels=channels, size=size)
        fields |= {f"{domain}_label": field for field in _label(classes, ()).values()}
    return DataSpec(fields=fields, paired=False)


def pairs_spec(channels: int, size: int) -> DataSpec:
    """Pairs of a source and an image, both of one form."""
    field = ImageField(channels=channels, size=size)
    return DataSpec(fields={"image": field, "source": field})


def maps_spec(channels: int, size: int) -> DataSpec:
    """Pairs of a label map of three classes and an image."""
    labels = LabelTable(classes=("sky", "wall", "door"))
    image = ImageField(channels=channels, size=size)
    return DataSpec(fields={"image": image, "source": LabelMapField(size=size, labels=labels)})


def points_spec(classes: tuple[str, ...] = (), size: int = 2) -> DataSpec:
    """Vectors of `size` numbers, with labels where there are classes."""
    fields: dict[str, Field] = {"vector": VectorField(size=size)}
    return DataSpec(fields=fields | _label(classes, ()))


def random_batch(spec: DataSpec, count: int = 4) -> Rows:
    """Modelled rows of uniform noise in [-1, 1], images channels-last, with labels in turn and derived columns."""
    columns = {}
    for name, field in spec.fields.items():
        if isinstance(field, CategoryField):
            columns[name] = torch.arange(count) % len(field.classes)
        elif isinstance(field, LabelMapField):
            columns[name] = field.to_model(torch.randint(0, field.channels, (count, *field.shape), dtype=torch.uint8))
        else:
            noise = torch.rand(count, *field.shape) * 2 - 1
            columns[name] = noise.contiguous(memory_format=torch.channels_last) if noise.ndim == 4 else noise
    return with_derived(Rows(columns), spec)


def optimizers_of(
    game: Game, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)
) -> dict[str, torch.optim.Optimizer]:
    """One Adam per player."""
    return {
        player: torch.optim.Adam([p for name in names for p in game.get_submodule(name).parameters()], lr, betas)
        for player, names in game.players.items()
    }


def run_step(game: Game, batch: Rows, step: int, optimizers: Mapping[str, torch.optim.Optimizer]) -> dict[str, Losses]:
    """One turn of every player with an optimiser step each; the losses of each."""
    turns = {}
    for player in game.players:
        turns[player] = game.losses(player, batch, step)
        parameters = [p for group in optimizers[player].param_groups for p in group["params"]]
        torch.autograd.backward(turns[player].total, inputs=parameters)
        optimizers[player].step()
        optimizers[player].zero_grad()
        game.on_optimizer_step(player)
    game.on_step_end(processes=1)
    return turns


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """A copy of a network's parameters."""
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


def moved(network: nn.Module, before: Mapping[str, Tensor]) -> list[str]:
    """Names of the parameters that have changed."""
    return [name for name, parameter in network.named_parameters() if not torch.equal(parameter, before[name])]


def _label(classes: tuple[str, ...], shares: tuple[float, ...]) -> dict[str, Field]:
    return {"label": CategoryField(classes=classes, shares=shares)} if classes else {}
