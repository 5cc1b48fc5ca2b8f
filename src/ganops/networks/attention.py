"""Self-attention, and where in a network it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.errors import SettingsError
from ganops.networks.residual import Layers

# Sizes in pixels of the maps with self-attention; "half": half the image's size, where the network has such maps (a
# discriminator that does not halve small images has none).
AttentionSizes = tuple[Annotated[int, Field(ge=1)] | Literal["half"], ...]


class SelfAttention(nn.Module):
    """Every position attends to all positions at half the resolution (SAGAN, Zhang et al. 2018, arXiv:1805.08318).

    With an eighth of the channels for queries and keys, half for values, as in the authors' and BigGAN's code; the
    weight of its output starts at zero. Its memory grows with the fourth power of the size: about 1 MiB for each image
    of 32 x 32, 16 MiB at 64, 4 GiB at 256, in float32.
    """

    def __init__(self, channels: int, layers: Layers) -> None:
        super().__init__()
        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        self.query, self.key = (layers.conv(channels, narrow, 1, bias=False) for _ in range(2))
        self.value = layers.conv(channels, half, 1, bias=False)
        self.output = layers.conv(half, channels, 1, bias=False)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        query = self.query(maps).flatten(2)
        key, value = (F.max_pool2d(part(maps), 2).flatten(2) for part in (self.key, self.value))
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=2)  # (N, H W, H W / 4)
        attended = (value @ weights.transpose(1, 2)).reshape(maps.shape[0], -1, *maps.shape[2:])
        return maps + self.share * cast(Tensor, self.output(attended))


def attention_at(asked: AttentionSizes, image_size: int, widths: Mapping[int, int], layers: Layers) -> nn.ModuleDict:
    """Self-attention by the size of the maps. widths: channels at each size that may have it.

    Raises SettingsError for a size in pixels that the network's maps do not have.
    """
    half = image_size // 2
    sizes = [half if size == "half" else size for size in asked if size != "half" or half in widths]
    for size in sizes:
        if size not in widths:
            raise SettingsError(
                f"the network has no maps of {size} pixels for self-attention",
                code="attention-size",
                expected=f"some of {_list(list(widths))}, or half",
                found=_list(asked),
            )
    return nn.ModuleDict({str(size): SelfAttention(widths[size], layers) for size in sizes})


def attend(attention: nn.ModuleDict, maps: Tensor) -> Tensor:
    """The maps after the self-attention of their size, where there is one."""
    size = str(maps.shape[-1])
    return cast(Tensor, attention[size](maps)) if size in attention else maps


def _list(sizes: Sequence[object]) -> str:
    return ", ".join(map(str, sizes))
