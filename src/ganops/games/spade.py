"""The game of SPADE: that of pix2pixHD with a hinge loss (Park et al. 2019, arXiv:1903.07291, section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ganops.data.fields.label_map import LabelMapField
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES
from ganops.games.pix2pixhd import Pix2PixHD, Pix2PixHDSettings
from ganops.objectives.adversarial import LossName


class SpadeSettings(Pix2PixHDSettings):
    """As of pix2pixhd, but for the adversarial loss, which here is the mean over sizes."""

    loss: LossName = "hinge"


@GAMES.add("spade", SpadeSettings)
class SpadeGame(Pix2PixHD):
    """A generator of photos from label maps, best with the network `spade`.

    Differences from the authors' code: the discriminators see the outputs that the generator was trained on, not new
    ones; no z from an encoder of the photo, no edges between instances.
    """

    def __init__(self, settings: SpadeSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        spec.field(settings.source, LabelMapField)  # of images pix2pixhd makes as much, with the same networks

    def over_sizes(self, losses: Sequence[Tensor]) -> Tensor:
        """Their mean."""
        return torch.stack(list(losses)).mean()
