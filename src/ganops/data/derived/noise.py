"""Images with noise added."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation, normal
from ganops.data.derived.images import Range, each_image, image_source
from ganops.data.fields.field import Field


@DERIVATIONS.add("noise")
class Noise(Derivation):
    """The image plus Gaussian noise of standard deviation `sigma`, clipped to [-1, 1].

    sigma: in the modelled range, whose width is 2; 0.5 is 64 grey levels. A range [low, high]: drawn for each image.
    """

    sigma: Annotated[float, Bounded(gt=0)] | Range

    def field(self, source: Field) -> Field:
        """The same as the source."""
        return image_source(source, "noise")

    def derive(self, modelled: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Noise of its own for every value."""
        sigma = each_image(self.sigma, modelled, generator)
        return (modelled + sigma * normal(modelled.shape, modelled, generator)).clamp(-1, 1)
