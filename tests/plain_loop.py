"""A recipe's networks and losses trained as tutorials do: a DataLoader of decoded pictures, Adam, float32."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.tutorial_loop import DecodedImages
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.recipe import Recipe

EMA_DECAY = 0.999


class _Labelled(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, rows: Rows) -> None:
        self.images, self.labels = DecodedImages(rows["image"]), rows["label"]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]


class PlainLoop:
    """Takes steps of a recipe's game in the plain way."""

    def __init__(self, recipe: Recipe, spec: DataSpec, rows: Rows, device: torch.device, workers: int) -> None:
        self.recipe, self.device, self.steps = recipe, device, 0
        self.game = build_game(recipe, spec).to(device).train()
        self.average = copy.deepcopy(self.game).requires_grad_(False) if recipe.ema else None
        self.optimizers = {
            player: torch.optim.Adam(
                [weight for name in names for weight in self.game.get_submodule(name).parameters()],
                recipe.optimizers[player].lr,
                recipe.optimizers[player].betas,
            )
            for player, names in self.game.players.items()
        }
        self._loader = DataLoader(
            _Labelled(rows),
            recipe.batch_size,
            shuffle=True,
            num_workers=workers,
            drop_last=True,
            persistent_workers=workers > 0,
        )
        self._batches = self._endless()

    def __enter__(self) -> PlainLoop:
        return self

    def __exit__(self, *_error: Any) -> None:
        self._batches.close()
        del self._loader, self.game, self.average, self.optimizers

    def step(self) -> None:
        """All players' turns, each followed by what tutorials print."""
        first, batch = next(iter(self.game.players)), next(self._batches)
        for player, optimizer in self.optimizers.items():
            for turn in range(self.recipe.turns.get(player, 1)):
                batch = next(self._batches) if player == first and turn > 0 else batch
                total = self.game.losses(player, batch, self.steps).total
                self.game.zero_grad()
                torch.autograd.backward(total)
                optimizer.step()
                self.game.on_optimizer_step(player)
                total.item()
        self.game.on_step_end(1)
        self.steps += 1
        if self.average is not None:
            for own, trained in zip(self.average.parameters(), self.game.parameters(), strict=True):
                own.lerp_(trained.detach(), 1 - EMA_DECAY)

    def _endless(self) -> Iterator[Rows]:
        while True:
            for images, labels in self._loader:
                yield Rows({"image": images.to(self.device), "label": labels.to(self.device)})
