"""What networks for super-resolution have in common: the factor between two fields, and their first weights."""

from __future__ import annotations

import torch
from torch import nn

from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import image_field

SMALL = 0.1  # of He's initial weights, in residual branches and where a network adds to what it was given


def enlarging_factor(network: str, spec: DataSpec, source: str, target: str) -> int:
    """How many times larger the target field is than the source field.

    Raises SettingsError where that is not a whole number, and for fields of other channels.
    """
    small, large = image_field(spec, source), image_field(spec, target)
    if large.size % small.size or large.size < small.size:
        raise SettingsError(
            f"{network} takes a target whose size is a multiple of its source's",
            code="image-size",
            expected=f"a multiple of {small.size} pixels",
            found=f"{large.size} pixels",
            action="derive the source: {kind: downscaled, of: image, factor: 2}",
        )
    if large.channels != small.channels:
        raise SettingsError(
            f"{network} enlarges images and changes no colours",
            code="other-channels",
            expected=f"{small.description} as the source",
            found=f"{ImageField(channels=large.channels, size=large.size).description} as the target",
        )
    return large.size // small.size


@torch.no_grad()
def small_weights(*layers: nn.Conv2d) -> None:
    """A tenth of He's normal weights, without biases: the start of residual layers in the authors' code.

    Wang et al. 2018, arXiv:1809.00219, section 3.1.
    """
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight)
        layer.weight.mul_(SMALL)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
