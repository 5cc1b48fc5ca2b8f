"""The moving average of the networks that make samples (Karras et al. 2018, arXiv:1710.10196, section 3)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from ganops.games.game import Game
from ganops.recipe import EmaSettings


class EMA:
    """A copy of the game whose averaged networks trail the trained ones; without settings it is the game itself."""

    def __init__(self, game: Game, settings: EmaSettings | None) -> None:
        self.settings = settings
        if settings is None:
            self.game = game
            return
        self.game = copy.deepcopy(game).requires_grad_(False).eval()
        self._floats: tuple[list[Tensor], list[Tensor]] = ([], [])
        self._others: list[tuple[Tensor, Tensor]] = []
        for name in game.ema_networks:
            trained, trailing = game.get_submodule(name).state_dict(), self.game.get_submodule(name).state_dict()
            for key, tensor in trained.items():
                if tensor.is_floating_point():
                    self._floats[0].append(trailing[key])
                    self._floats[1].append(tensor)
                else:
                    self._others.append((trailing[key], tensor))

    def decay(self, images_shown: int, images_per_step: int) -> float:
        """The share of the old average that one round keeps."""
        if self.settings is None:
            return 0.0
        half_life = min(self.settings.half_life_kimg * 1000, max(images_shown * self.settings.rampup, 1e-8))
        return float(0.5 ** (images_per_step / half_life))

    @torch.no_grad()
    def update(self, images_shown: int, images_per_step: int) -> None:
        """Move the average one round towards the trained networks; counters are copied."""
        if self.settings is None:
            return
        torch._foreach_lerp_(*self._floats, weight=1 - self.decay(images_shown, images_per_step))
        for trailing, trained in self._others:
            trailing.copy_(trained)

    def state(self) -> dict[str, dict[str, Tensor]]:
        """State dicts of the averaged networks, by network name."""
        return {name: self.game.get_submodule(name).state_dict() for name in self.game.ema_networks}

    def load(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Put back what `state` gave."""
        if self.settings is not None:
            for name, tensors in state.items():
                self.game.get_submodule(name).load_state_dict(tensors)
