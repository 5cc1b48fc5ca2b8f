"""The target of a source by its distance to the truth alone: what an adversarial loss has to improve on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Losses
from ganops.games.translation import Translation, TranslationSettings

DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": F.l1_loss, "l2": F.mse_loss}


class RegressionSettings(TranslationSettings):
    """loss: mean absolute difference (l1), whose best answer is the median, or squared difference (l2), the mean."""

    loss: Literal["l1", "l2"] = "l1"


@GAMES.add("regression", RegressionSettings)
class Regression(Translation):
    """The row "L1" of pix2pix's ablation (Isola et al. 2017, arXiv:1611.07004, table 1): one player, the generator."""

    def __init__(self, settings: RegressionSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.distance = DISTANCES[settings.loss]

    def losses(self, _player: str, batch: Rows, _step: int, _micro_batch: int = 0) -> Losses:
        """The distance between output and truth."""
        return Losses({"loss": self.distance(self.translate(batch), batch[self.target])})
