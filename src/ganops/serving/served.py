"""A model in service: its networks on a device, and all that answers and pages say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch

from ganops.api import SCHEME, model_folder
from ganops.data.fields.field import stored_rows
from ganops.data.rows import Rows
from ganops.errors import ModelError
from ganops.games.game import Game
from ganops.games.saved import SavedModel, load_description, load_game
from ganops.games.task import Task
from ganops.networks.network import Generator
from ganops.registry.card import CARD
from ganops.registry.load import registered
from ganops.serving.probe import probe
from ganops.settings import nearest


@dataclass(frozen=True, eq=False)
class Served:
    """One version of a model, tested.

    name: NAME/VERSION, or the folder's name. uri: where it was loaded from. tags: lineage and scores, as registered.
    card: the model card in Markdown; empty where there is none. example: rows of the request that came with it.
    sizes: by task, the rows that the networks may compute at once, rising. rate: images/s of the slowest task.
    """

    name: str
    uri: str
    description: SavedModel
    game: Game
    tags: Mapping[str, str]
    card: str
    example: list[dict[str, Any]]
    sizes: Mapping[str, tuple[int, ...]]
    rate: float

    @property
    def recipe(self) -> str:
        """The name of the recipe."""
        return self.description.name

    def find_task(self, name: str | None) -> tuple[str, Task]:
        """A task with its name, None: the first; raises ModelError for an unknown one."""
        name = next(iter(self.game.tasks)) if name is None else name
        if name not in self.game.tasks:
            raise ModelError(
                f"the model has no task '{name[:80]}'",
                code="unknown-task",
                found=name[:80],
                action=nearest(name[:80], self.game.tasks),
            )
        return name, self.game.tasks[name]

    def numbers(self, task: str | None) -> int:
        """Numbers in one row of a task's outputs."""
        return sum(prod(field.shape) for field in self.find_task(task)[1].outputs.values())

    @property
    def truncation_range(self) -> tuple[float, float] | None:
        """What `truncation` may be; None where the generator has none."""
        return next((each.truncation_range for each in truncatable(self.game)), None)

    def compute(self, rows: Rows, task: str, truncation: float | None) -> Rows:
        """Stored outputs, on the CPU, of modelled inputs and latents. Only one thread may call it at a time."""
        generators = truncatable(self.game) if truncation is not None else []
        own = [each.truncation for each in generators]
        for each in generators:
            each.truncation = truncation
        try:
            modelled = run(self.game, rows, task)
        finally:
            for each, value in zip(generators, own, strict=True):
                each.truncation = value
        return stored_rows(modelled, self.game.tasks[task].outputs)


def load_served(address: str, device: torch.device, batch: int) -> Served:
    """Load and test a model: models:/NAME/VERSION, models:/NAME@ALIAS, a model folder, or a recipe trained here.

    Raises GanopsError where it is missing, damaged or altered, or fails its test.
    """
    if not address.startswith(SCHEME):
        folder = model_folder(address)
        return _served(folder, device, batch, name=address.rstrip("/").rpartition("/")[2] or address, uri=address)
    known = registered(address)
    card = known.card / CARD if known.card else None
    return _served(
        known.folder,
        device,
        batch,
        name=f"{known.name}/{known.version}",
        uri=known.uri,
        tags=known.tags,
        card=card.read_text(encoding="utf-8") if card and card.is_file() else "",
        example=known.example(),
    )


def _served(
    folder: Path,
    device: torch.device,
    batch: int,
    *,
    name: str,
    uri: str,
    tags: Mapping[str, str] | None = None,
    card: str = "",
    example: list[dict[str, Any]] | None = None,
) -> Served:
    game = load_game(folder, device)
    found = probe(game, partial(run, game), batch, uri)
    return Served(name, uri, load_description(folder), game, tags or {}, card, example or [], found.sizes, found.rate)


def run(game: Game, rows: Rows, task: str) -> Rows:
    """Modelled outputs of modelled inputs and latents, on the game's device."""
    device = next(game.parameters()).device
    with torch.inference_mode():
        return game.generate(rows.to(device), task)


def truncatable(game: Game) -> list[Generator]:
    """The generators whose truncation can be set."""
    networks = (getattr(game, name) for name in game.ema_networks)
    return [each for each in networks if isinstance(each, Generator) and each.truncation_range is not None]
