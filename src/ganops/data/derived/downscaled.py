"""Smaller images, as super-resolution starts from."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation
from ganops.data.derived.images import image_source
from ganops.data.fields.field import Field
from ganops.errors import SettingsError


@DERIVATIONS.add("downscaled")
class Downscaled(Derivation):
    """The image at 1 / `factor` of its size: bicubic with antialiasing, clipped to [-1, 1]."""

    factor: int = Bounded(ge=2)

    def field(self, source: Field) -> Field:
        """A smaller image; raises SettingsError where `factor` does not divide the size."""
        image = image_source(source, "downscaled")
        if image.size % self.factor:
            raise SettingsError(
                f"an image of {image.size} pixels cannot be downscaled by {self.factor}",
                code="bad-derivation",
                expected=f"a factor that divides {image.size}",
                found=str(self.factor),
            )
        return image.model_copy(update={"size": image.size // self.factor})

    def derive(self, modelled: Tensor, _generator: torch.Generator | None = None) -> Tensor:
        """The same for every call."""
        size = (modelled.shape[2] // self.factor, modelled.shape[3] // self.factor)
        return F.interpolate(modelled, size, mode="bicubic", align_corners=False, antialias=True).clamp(-1, 1)
