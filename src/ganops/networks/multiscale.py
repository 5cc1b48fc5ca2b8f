"""PatchGANs of the same pictures at several sizes (pix2pixHD, Wang et al. 2018, arXiv:1711.11585, section 3.2)."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from pydantic import Field as Bounded
from torch import Tensor, nn

from ganops.data.fields.field import Field
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import image_field, picture_field
from ganops.networks.network import NETWORKS, MultiscaleDiscriminator
from ganops.networks.patchgan import Patchgan, PatchganSettings, receptive_field


class MultiscalePatchganSettings(PatchganSettings):
    """scales: number of PatchGANs, each for pictures half as large as the one before. The other keys: of each."""

    scales: int = Bounded(default=2, ge=1, le=4)


@NETWORKS.add("multiscale-patchgan", MultiscalePatchganSettings)
class MultiscalePatchgan(MultiscaleDiscriminator):
    """(N, C, H, W) source pictures or None and (N, C', H, W) target images to the logits of each size.

    Both are made smaller together by means of 3 x 3 pixels, so a label map becomes shares of classes.
    """

    def __init__(self, settings: MultiscalePatchganSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source, self.target = settings.source, settings.target
        names = (self.target,) if self.source is None else (self.source, self.target)
        fields = {name: picture_field(spec, name) for name in names}
        size = image_field(spec, self.target).size
        if size % 2 ** (settings.scales - 1):
            raise SettingsError(
                f"images of {size} pixels cannot be halved {settings.scales - 1} times",
                code="image-size",
                expected=f"a multiple of {2 ** (settings.scales - 1)}",
                found=str(size),
                action="set scales lower, or image_size in the recipe",
            )
        patch = receptive_field(settings)
        self.patches = tuple(_in_full_size(patch, halvings) for halvings in range(settings.scales))
        self.scales = nn.ModuleList()
        for halvings in range(settings.scales):
            smaller: dict[str, Field] = {
                name: field.model_copy(update={"size": field.size >> halvings}) for name, field in fields.items()
            }
            self.scales.append(Patchgan(settings, DataSpec(fields=smaller)))

    def forward(self, source: Tensor | None, target: Tensor) -> Tensor:
        """The logits of the largest size."""
        return self.pyramid(source, target)[0][-1]

    def pyramid(self, source: Tensor | None, target: Tensor) -> list[list[Tensor]]:
        """See MultiscaleDiscriminator."""
        found = []
        for number, discriminator in enumerate(self.scales):
            if number:
                source, target = None if source is None else _halved(source), _halved(target)
            found.append(cast(Patchgan, discriminator).features(source, target))
        return found


def _in_full_size(patch: int, halvings: int) -> int:
    """Height and width before the means of 3 x 3 pixels at every second place."""
    for _ in range(halvings):
        patch = 2 * (patch - 1) + 3
    return patch


def _halved(pictures: Tensor) -> Tensor:
    return F.avg_pool2d(pictures, 3, stride=2, padding=1, count_include_pad=False)
