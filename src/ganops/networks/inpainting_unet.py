"""A U-Net that fills holes and leaves everything else as it is."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.networks.network import NETWORKS
from ganops.networks.residual_unet import ResidualUnet, ResidualUnetSettings

NEAR_GREY = 1.5 / 255  # mid-grey lies between the levels 127 and 128, each 1/255 away in [-1, 1]


@NETWORKS.add("inpainting-unet", ResidualUnetSettings)
class InpaintingUnet(ResidualUnet):
    """(N, C, H, W) source images with holes of mid-grey to (N, C, H, W) images without; both in [-1, 1], not clipped.

    Mid-grey (level 127 or 128 of 255 in all channels) marks a hole, as `masked` sources have it. The network is also
    given the mask of the holes. Pixels outside of them are returned as they are.
    """

    def forward(self, images: Tensor) -> Tensor:
        """The images with their holes filled."""
        hole = (images.abs().amax(1, keepdim=True) < NEAR_GREY).to(images.dtype)
        return images + hole * self.added(torch.cat((images, hole), 1))

    def input_channels(self, source: int) -> int:
        """The source's and the mask."""
        return source + 1
