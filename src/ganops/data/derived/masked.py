"""Images with a hole, as inpainting starts from (context encoders: Pathak et al. 2016, arXiv:1604.07379)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation, uniform
from ganops.data.derived.images import image_source
from ganops.data.fields.field import Field


@DERIVATIONS.add("masked")
class Masked(Derivation):
    """The image with one square hole of mid-grey.

    side: of the hole, as a share of the image's. place: a place of its own in each image, or the centre of all.
    """

    side: float = Bounded(default=0.5, gt=0, le=1)
    place: Literal["random", "centre"] = "random"

    def field(self, source: Field) -> Field:
        """The same as the source."""
        return image_source(source, "masked")

    def derive(self, modelled: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A hole per image, whole inside of it."""
        count, _, height, width = modelled.shape
        inside_y = self._hole(height, count, modelled, generator)[:, None, :, None]
        inside_x = self._hole(width, count, modelled, generator)[:, None, None, :]
        return modelled.masked_fill(inside_y & inside_x, 0.0)

    def _hole(self, size: int, count: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """(N, size): which pixels of one axis are inside of the hole."""
        side = max(1, round(self.side * size))
        places = size - side + 1
        if self.place == "centre":
            start = torch.full((count, 1), (size - side) // 2, device=like.device)
        else:
            start = (uniform((count, 1), like, generator) * places).long().clamp(max=places - 1)
        pixels = torch.arange(size, device=like.device)
        return (pixels >= start) & (pixels < start + side)
