"""Blurred images, as deblurring starts from."""

from __future__ import annotations

from math import ceil
from typing import Annotated

import torch
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation
from ganops.data.derived.images import Range, each_image, image_source, shifted
from ganops.data.fields.field import Field


@DERIVATIONS.add("blur")
class Blur(Derivation):
    """The image under a Gaussian of standard deviation `sigma` in pixels, cut off at three of them; edges repeat.

    sigma: a range [low, high] is drawn for each image.
    """

    sigma: Annotated[float, Bounded(gt=0)] | Range

    def field(self, source: Field) -> Field:
        """The same as the source."""
        return image_source(source, "blur")

    def derive(self, modelled: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Down, then across, as sums of shifted images: a convolution may round otherwise on another device."""
        sigma = each_image(self.sigma, modelled, generator) + modelled.new_zeros(len(modelled), 1, 1, 1)
        reach = ceil(3 * (self.sigma[1] if isinstance(self.sigma, tuple) else self.sigma))
        taps = range(-reach, reach + 1)
        weights = [torch.exp(-0.5 * (tap / sigma) ** 2) * (abs(tap) <= 3 * sigma) for tap in taps]
        total = torch.stack(weights).sum(dim=0)
        for down, right in ((1, 0), (0, 1)):
            blurred = torch.zeros_like(modelled)
            for tap, weight in zip(taps, weights, strict=True):
                blurred = blurred + weight * shifted(modelled, down * tap, right * tap)
            modelled = blurred / total
        return modelled
