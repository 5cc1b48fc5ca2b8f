"""Images without colour."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation
from ganops.data.derived.images import image_source
from ganops.data.fields.field import Field
from ganops.data.fields.image import luma


@DERIVATIONS.add("grey")
class Grey(Derivation):
    """The luma of RGB images (ITU-R BT.601); grey images stay as they are."""

    def field(self, source: Field) -> Field:
        """One channel of the same size."""
        return image_source(source, "grey").model_copy(update={"channels": 1})

    def derive(self, modelled: Tensor, _generator: torch.Generator | None = None) -> Tensor:
        """0.299 R + 0.587 G + 0.114 B."""
        return luma(modelled) if modelled.shape[1] == 3 else modelled
