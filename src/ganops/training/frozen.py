"""Parts of a game that are not trained: their weights and their running statistics stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ganops.errors import SettingsError
from ganops.games.game import Game
from ganops.games.transfer import find_parts


class Frozen:
    """The parts that `paths` name, without gradients from now on (FreezeD, Mo et al. 2020, arXiv:2002.10964).

    Raises SettingsError for a path that names no part, and where a player would have nothing left to train.
    """

    def __init__(self, game: Game, paths: Sequence[str]) -> None:
        parts = find_parts(game, paths, "init.freeze")
        for part in parts:
            part.requires_grad_(False)
        # Norms with running statistics and the vectors of spectral norms; layers without state are as in training.
        layers = (layer for part in parts for layer in part.modules())
        self._stateful = [layer for layer in layers if list(layer.buffers(recurse=False))]
        for player in game.players:
            if not trained_parameters(game, player):
                raise SettingsError(
                    f"init.freeze leaves the player '{player}' no parameters to train",
                    code="nothing-to-train",
                    found=", ".join(paths),
                    action="freeze its lower layers only",
                )

    def keep_eval(self) -> None:
        """Put frozen layers with state back into eval mode; call it after every switch to training mode."""
        for layer in self._stateful:
            layer.eval()


def trained_parameters(game: Game, player: str) -> list[nn.Parameter]:
    """The parameters that a player trains, in the order of its networks."""
    networks = (game.get_submodule(name) for name in game.players[player])
    return [parameter for network in networks for parameter in network.parameters() if parameter.requires_grad]
