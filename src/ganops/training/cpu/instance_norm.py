"""Instance norm of channels-last maps, as a batch norm of each image.

PyTorch views a batch of N images with C channels as one image with N C channels, which must lie channels-first. So it
copies channels-last maps, and returns outputs and gradients in which the next convolution is slow. Its batch norm knows
both formats, and the batch norm of a single image is its instance norm.

Measured in docs/measurements/training-speed.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

FEWEST_NUMBERS = 8192  # of an image's maps; below, the calls for each image cost more than the copies


class InstanceNorm(NamedTuple):
    """The arguments of `aten::instance_norm`."""

    inputs: Tensor
    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor | None
    running_var: Tensor | None
    use_input_stats: bool
    momentum: float
    eps: float
    cudnn_enabled: bool


def instance_norm(call: InstanceNorm, _original: Callable[..., Any]) -> Tensor | None:
    """The normalised maps, channels-last; None where PyTorch's own way is as fast, or keeps running statistics."""
    inputs = call.inputs
    if inputs.dim() != 4 or call.running_mean is not None or inputs[0].numel() < FEWEST_NUMBERS:
        return None
    if not inputs.is_contiguous(memory_format=torch.channels_last):
        return None
    return torch.cat(
        [F.batch_norm(one, None, None, call.weight, call.bias, training=True, eps=call.eps) for one in inputs.split(1)]
    )
