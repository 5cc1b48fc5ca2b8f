"""A pool of images that were generated before, from which the discriminator is shown some."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Keeps `size` generated images (Shrivastava et al. 2017, arXiv:1612.07828, section 2.3; CycleGAN, 50 images).

    It lies in buffers, so a resumed training continues with the same images. Each image enters the pool while it
    fills; later with probability 1/2 an image takes the place of one from the pool, which is returned instead.
    Of several images of one batch that draw the same place, the first takes it.
    """

    images: Tensor
    filled: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def forward(self, fresh: Tensor) -> Tensor:
        """(N, ...) generated images to as many, each fresh or from the pool; nothing waits for the device."""
        if self.size == 0:
            return fresh
        count, device = len(fresh), fresh.device
        place = self.filled + torch.arange(count, device=device)
        fills = place < self.size
        swaps = ~fills & (torch.rand(count, device=device) < 0.5)
        place = torch.where(fills, place, torch.randint(self.size, (count,), device=device))
        older = self.images[place].to(fresh.dtype)
        enters = (place == torch.arange(self.size, device=device)[:, None]) & (fills | swaps)
        entering = fresh[enters.int().argmax(dim=1)].to(self.images.dtype)
        self.images.copy_(torch.where(_like(enters.any(dim=1), self.images), entering, self.images))
        self.filled.copy_((self.filled + count).clamp(max=self.size))
        return torch.where(_like(swaps, fresh), older, fresh)


def _like(mask: Tensor, images: Tensor) -> Tensor:
    """(N,) as (N, 1, ...), so that it selects whole images."""
    return mask.view(-1, *[1] * (images.ndim - 1))
