"""The moving average of the networks that make samples (Karras et al. 2018, arXiv:1710.10196, section 3)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import ParametrizationList

from ganops.games.game import Game
from ganops.recipe import EmaSettings
from ganops.schedules import between

POWER_ITERATIONS = 30  # from the trained network's singular vectors to those of the averaged weight


class EMA:
    """A copy of the game whose `ema_networks` trail the trained ones; without settings it is the game itself.

    Spectral norms divide by an estimate of the averaged weight's own largest singular value. Averaged singular vectors
    would underestimate it, so these are copied and refined by power iterations before the copy is used.
    """

    def __init__(self, game: Game, settings: EmaSettings | None) -> None:
        self.settings = settings
        self._game, self._stale = game, False
        self._averaged: tuple[list[Tensor], list[Tensor]] = ([], [])
        self._copied: list[tuple[Tensor, Tensor]] = []
        self._norms: list[tuple[_SpectralNorm, _SpectralNorm, Tensor]] = []
        if settings is None:
            return
        self._game = copy.deepcopy(game).requires_grad_(False).eval()
        for name in game.ema_networks:
            self._pair(self._game.get_submodule(name), game.get_submodule(name))

    @property
    def game(self) -> Game:
        """The averaged game, in eval mode; the trained game itself where there is no average."""
        if self._stale:
            self._refine_norms()
            self._stale = False
        return self._game

    def decay(self, images_shown: int, images_per_step: int) -> float:
        """The share of the old average that one step keeps."""
        settings = self.settings
        if settings is None or images_shown < settings.start_kimg * 1000:
            return 0.0
        half_life = settings.half_life_kimg * 1000
        if settings.first_half_life_kimg is not None and settings.schedule_kimg is not None:
            progress = images_shown / (1000 * settings.schedule_kimg)
            half_life = between(1000 * settings.first_half_life_kimg, half_life, progress, settings.schedule)
        if settings.rampup is not None:
            half_life = min(half_life, images_shown * settings.rampup)
        return float(0.5 ** (images_per_step / max(half_life, 1e-8)))

    @torch.no_grad()
    def update(self, images_shown: int, images_per_step: int) -> None:
        """Move the average one step towards the trained networks; counters are copied."""
        if self.settings is None:
            return
        torch._foreach_lerp_(*self._averaged, weight=1 - self.decay(images_shown, images_per_step))
        for trailing, trained in self._copied:
            trailing.copy_(trained)
        self._stale = True

    def state(self) -> dict[str, dict[str, Tensor]]:
        """State dicts of the averaged networks, by network name."""
        return {name: self.game.get_submodule(name).state_dict() for name in self.game.ema_networks}

    def load(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Restore what `state` returned."""
        if self.settings is not None:
            for name, tensors in state.items():
                self._game.get_submodule(name).load_state_dict(tensors)
            self._stale = False

    def _pair(self, trailing: nn.Module, trained: nn.Module) -> None:
        """Note which tensors of two equal networks are averaged and which are copied."""
        vectors = set[int]()
        for (_, averaged), (_, source) in zip(trailing.named_modules(), trained.named_modules(), strict=True):
            if isinstance(averaged, ParametrizationList) and isinstance(source, ParametrizationList):
                for own, theirs in zip(averaged, source, strict=True):
                    if isinstance(own, _SpectralNorm) and isinstance(theirs, _SpectralNorm) and hasattr(own, "_u"):
                        self._norms.append((own, theirs, averaged.original))
                        vectors |= {id(own._u), id(own._v)}
        theirs_by_name = trained.state_dict(keep_vars=True)
        for key, tensor in trailing.state_dict(keep_vars=True).items():
            if id(tensor) in vectors:
                continue
            if tensor.is_floating_point():
                self._averaged[0].append(tensor.detach())
                self._averaged[1].append(theirs_by_name[key].detach())
            else:
                self._copied.append((tensor, theirs_by_name[key]))

    @torch.no_grad()
    def _refine_norms(self) -> None:
        """Singular vectors of the averaged weights, from those of the trained ones: a function of both alone."""
        for own, theirs, weight in self._norms:
            own._u.copy_(theirs._u)
            own._v.copy_(theirs._v)
            own._power_method(own._reshape_weight_to_matrix(weight), POWER_ITERATIONS)
