"""What is new about the game (authors, year, arXiv number). Copy to src/ganops/games/, rename, fill in.

The file is found by the kind that it adds; a recipe's `game.kind` selects it. The trainer needs no change.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES
from ganops.games.gan_settings import StandardGANSettings
from ganops.games.standard_gan import DiscriminatorOutput, GeneratedBatch, StandardGAN


class TemplateGameSettings(StandardGANSettings):
    """Keys of the recipe's `game` section, in addition to those of every GAN (loss, penalty, augment ...)."""

    brightness_weight: float = Field(default=1.0, gt=0)


@GAMES.add("template-game", TemplateGameSettings)
class TemplateGame(StandardGAN):
    """One generator against one discriminator, with one more term: generated images as bright as real ones on average.

    A game with other players derives from Game and defines `players`, `ema_networks`, `tasks`, `losses` and `generate`
    (see bidirectional.py, pix2pix.py). Steps may be captured and replayed: where a loss does something in some steps
    only, `graph_key` has to tell these steps apart.
    """

    def __init__(self, settings: TemplateGameSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.brightness_weight = settings.brightness_weight

    def extra_losses(
        self,
        player: str,
        batch: Rows,
        generated: GeneratedBatch,
        _real: DiscriminatorOutput | None,
        _fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """Named scalars that `player` minimises in addition to its loss; each becomes a curve."""
        if player != "generator":
            return {}
        difference = generated.images.mean() - batch[self.target].mean()
        return {"brightness": self.brightness_weight * difference.square()}
