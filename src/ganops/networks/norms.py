"""Normalisation layers that image-to-image networks choose from."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ganops.networks.maps import channels_last

NormName = Literal["instance", "batch", "none"]


class InstanceNorm(nn.InstanceNorm2d):
    """Each channel of each image with mean 0 and variance 1 (Ulyanov et al. 2016, arXiv:1607.08022).

    It computes the same in training and evaluation, and an image never depends on the others of its batch. Torch's own
    returns maps that lie channels-first, in which the next convolution is slow.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape; a map needs at least two pixels."""
        return channels_last(super().forward(maps))


def norm_layers(name: NormName, channels: int) -> list[nn.Module]:
    """The layer for maps of so many channels, or none; `batch` has learned gains and offsets, `instance` has not."""
    if name == "none":
        return []
    return [InstanceNorm(channels) if name == "instance" else nn.BatchNorm2d(channels)]
