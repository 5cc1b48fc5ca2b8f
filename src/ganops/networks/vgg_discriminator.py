"""The discriminator of SRGAN and ESRGAN: a VGG-style network with one logit per image (arXiv:1609.04802, figure 4)."""

from __future__ import annotations

from typing import cast

from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import image_field
from ganops.networks.maps import channels_last, flatten_maps
from ganops.networks.network import NETWORKS, PatchDiscriminator
from ganops.networks.norms import NormName, norm_layers
from ganops.settings import Settings

SLOPE = 0.2  # of LeakyReLU
SMALLEST = 4  # pixels at which halving ends
MOST_GROWTH = 8  # channels of the widest layer, in units of `width`
HIDDEN = 100  # units between the maps and the logit


class VggDiscriminatorSettings(Settings):
    """target: name of the image field that it judges. width: channels of the first layer, doubled at every halving to
    8 times; 64 in the paper. norm: after all convolutions but the first.
    """

    target: str = IMAGE
    width: int = Field(default=64, ge=1)
    norm: NormName = "batch"


@NETWORKS.add("vgg-discriminator", VggDiscriminatorSettings)
class VggDiscriminator(PatchDiscriminator):
    """None and (N, C, H, W) target images in [-1, 1] to (N, 1, 1, 1) logits, larger for real ones.

    Layer by layer as BasicSR's VGGStyleDiscriminator, which takes images of 128 or 256 pixels; here any size is halved
    as long as more than 4 pixels are left.
    """

    source = None

    def __init__(self, settings: VggDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.target = settings.target
        image = image_field(spec, settings.target)
        size, channels, norm = image.size, image.channels, settings.norm
        layers = list[nn.Module]()
        if size <= SMALLEST:
            raise SettingsError(
                "a VGG-style discriminator needs larger images",
                code="image-size",
                expected=f"more than {SMALLEST} pixels",
                found=f"{size} pixels",
            )
        for halving in range(_halvings(size)):
            width = settings.width * min(2**halving, MOST_GROWTH)
            entry: NormName = "none" if halving == 0 else norm
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=entry == "none"), *norm_layers(entry, width)]
            layers += [nn.LeakyReLU(SLOPE), nn.Conv2d(width, width, 4, 2, 1, bias=norm == "none")]
            layers += [*norm_layers(norm, width), nn.LeakyReLU(SLOPE)]
            size, channels = size // 2, width
        self.layers = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(channels * size**2, HIDDEN), nn.LeakyReLU(SLOPE), nn.Linear(HIDDEN, 1))

    def forward(self, _source: Tensor | None, target: Tensor) -> Tensor:
        """One logit for each target."""
        return cast(Tensor, self.head(flatten_maps(self.layers(channels_last(target)))))[:, :, None, None]


def _halvings(size: int) -> int:
    """How often a size is halved, odd ones rounded down, until it is at most the smallest."""
    return 0 if size <= SMALLEST else 1 + _halvings(size // 2)
