"""Feature maps in channels-last memory format, in which convolutions are fastest, and vectors from them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def channels_last(maps: Tensor) -> Tensor:
    """(N, C, H, W) maps in channels-last format, copied only where they are not.

    Needed where maps originate: later layers keep the format, but a 1x1 convolution of grey images and a view of a
    vector return another one.
    """
    return maps.contiguous(memory_format=torch.channels_last)


def flatten_maps(maps: Tensor) -> Tensor:
    """(N, C, H, W) to (N, H W C), pixel after pixel.

    Flattened channel after channel, channels-last maps would be copied, and their gradients would return in a format
    that slows down every layer before.
    """
    return maps.permute(0, 2, 3, 1).flatten(1)


def unflatten_maps(vectors: Tensor, size: int) -> Tensor:
    """(N, size size C) to (N, C, size, size): the inverse of `flatten_maps` for square maps."""
    return vectors.view(vectors.shape[0], size, size, -1).permute(0, 3, 1, 2)


class SpreadLatents(nn.ConvTranspose2d):
    """(N, latent_dim) to (N, channels, size, size): a transposed convolution of one pixel, as one matrix product."""

    def __init__(self, latent_dim: int, channels: int, size: int) -> None:
        super().__init__(latent_dim, channels, size, bias=False)

    def forward(self, latents: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Spread each latent over the smallest maps; `output_size` is ignored."""
        del output_size
        return unflatten_maps(latents @ flatten_maps(self.weight), self.kernel_size[0])
