"""What is new about the game (authors, year, arXiv number). Copy to src/ganops/games/, rename, fill in.

The file is found by itself; a recipe plays the game by its kind. The trainer needs to know nothing of it.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Batch
from ganops.games.standard_gan import DiscriminatorOutput, GeneratedBatch, StandardGAN, StandardGANSettings


class TemplateGameSettings(StandardGANSettings):
    """Keys of the recipe's `game` section, besides all that a duel knows (loss, penalty, augment ...)."""

    brightness_weight: float = Field(default=1.0, gt=0)


@GAMES.add("template-game", TemplateGameSettings)
class TemplateGame(StandardGAN):
    """One generator against one discriminator, and one term more: here, fakes as bright as real images on average.

    A game of other players derives from Game itself and writes `players`, `turn` and `generate` (see bidirectional.py).
    Rounds are recorded and replayed: what a turn does in one round and not in another, `graph_key` has to tell (see Game).
    """

    def __init__(self, settings: TemplateGameSettings, networks: dict[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.brightness_weight = settings.brightness_weight

    def extra_terms(
        self,
        player: str,
        batch: Batch,
        forgery: GeneratedBatch,
        _real: DiscriminatorOutput | None,
        _fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """Named scalars that `player` minimises besides the loss; each becomes a curve."""
        if player != "generator":
            return {}
        difference = forgery.images.mean() - batch.images.mean()
        return {"brightness": self.brightness_weight * difference.square()}
