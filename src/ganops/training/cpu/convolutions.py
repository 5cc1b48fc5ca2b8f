"""CPU convolutions and their gradients, computed differently where PyTorch is slow.

Weight gradients in bfloat16: oneDNN is slow on small maps. For maps of 4 x 4 pixels, one product of unfolded patches
takes a half to a ninth of the time, for single pixels a twentieth, for maps of 8 x 8 with many channels a half.
Otherwise oneDNN is mostly faster and is used.

Input gradients that are differentiated again, as for gradient penalties: the input gradient of a convolution is a
transposed convolution, and vice versa. Written as such, its derivatives are ordinary gradients of convolutions.
PyTorch's formula makes the batch a channel dimension, and takes up to three times as long.

Transposed convolutions to an image, forward or as the gradient of one that starts from an image: see sub_pixel.py.
Convolutions to one channel: see one_output.py.

Measured in docs/measurements/training-speed.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ganops.training.cpu.one_output import gradients_to_one, is_to_one, to_one
from ganops.training.cpu.sub_pixel import DOUBLING, MOST_CHANNELS, doubled

# Largest maps on which the product was faster with all filters tried.
MOST_PIXELS = 16
MOST_PIXELS_OF_WIDE, WIDE = 64, 64  # the second in channels

Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]
Original = Callable[..., Any]


class Forward(NamedTuple):
    """The arguments of `aten::convolution`."""

    inputs: Tensor
    weight: Tensor
    bias: Tensor | None
    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    transposed: bool
    output_padding: Sequence[int]
    groups: int


class Backward(NamedTuple):
    """The arguments of `aten::convolution_backward`; wanted: whether gradients of inputs, weight, bias are needed."""

    gradient: Tensor
    inputs: Tensor
    weight: Tensor
    bias_sizes: Sequence[int] | None
    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    transposed: bool
    output_padding: Sequence[int]
    groups: int
    wanted: Sequence[bool]


def forward(call: Forward, _original: Original) -> Tensor | None:
    """A convolution to one channel, and a transposed one to few channels as a plain one; None for other cases."""
    if _is_to_one(call):
        return to_one(call.inputs, call.weight, call.bias, call.padding)
    if not call.transposed or max(call.output_padding) > 0 or not _doubles_to_few(call):
        return None
    return doubled(call.inputs, call.weight, call.bias)


def backward(call: Backward, original: Original) -> Gradients | None:
    """The gradients, each computed the faster way where that pays; None where it never does."""
    if _is_to_one(call):
        return gradients_to_one(call.gradient, call.inputs, call.weight, call.padding, call.wanted)
    wants_inputs, wants_weight, wants_bias = call.wanted
    inputs = _inputs_doubled(call) if wants_inputs else None
    weight = weight_product(call) if wants_weight else None
    if inputs is None and weight is None:
        return None
    left = [wants_inputs and inputs is None, wants_weight and weight is None, wants_bias]
    rest = original(call._replace(wanted=left)) if any(left) else (None, None, None)
    return rest[0] if inputs is None else inputs, rest[1] if weight is None else weight, rest[2]


def _is_to_one(call: Forward | Backward) -> bool:
    return not call.transposed and is_to_one(call.weight, call.stride, call.dilation, call.groups)


def _inputs_doubled(call: Backward) -> Tensor | None:
    """The input gradient of a convolution that halves an image; None for other cases."""
    gradient, inputs = call.gradient, call.inputs
    halved = inputs.shape[2:] == tuple(2 * size for size in gradient.shape[2:])
    return doubled(gradient, call.weight, None) if halved and not call.transposed and _doubles_to_few(call) else None


def _doubles_to_few(call: Forward | Backward) -> bool:
    """Whether a transposed convolution with this filter doubles a map into few enough channels."""
    sides = tuple(tuple(side) for side in (call.weight.shape[2:], call.stride, call.padding, call.dilation))
    return sides == DOUBLING and call.groups == 1 and call.weight.shape[1] <= MOST_CHANNELS


def weight_product(call: Backward) -> Tensor | None:
    """The weight gradient as one matrix product; None where that does not pay."""
    # For a transposed convolution inputs and outputs are swapped: the patches come from the outputs.
    few, many = (call.inputs, call.gradient) if call.transposed else (call.gradient, call.inputs)
    if few.dim() != 4 or few.dtype != torch.bfloat16 or call.groups > 1 or max(call.dilation) > 1:
        return None
    if few.shape[2] * few.shape[3] > (MOST_PIXELS_OF_WIDE if few.shape[1] >= WIDE else MOST_PIXELS):
        return None
    return _product(few, many, call.weight.shape, call.stride, call.padding)


def _product(few: Tensor, many: Tensor, shape: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> Tensor:
    """Outer products of channels and patch, summed over positions: the gradient of a filter of `shape`, channels-last.

    few: (N, A, h, w), a position for each patch; many: (N, B, H, W), from which patches are unfolded; shape: A, B, and
    the patch's height and width.
    """
    rows = few.transpose(0, 1).reshape(shape[0], -1)
    padded = F.pad(many.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1], padding[0], padding[0])).contiguous()
    high, wide = shape[2:]
    patches = padded.unfold(1, high, stride[0]).unfold(2, wide, stride[1])  # (N, h, w, B, high, wide), a view
    columns = patches.permute(0, 1, 2, 4, 5, 3).reshape(rows.shape[1], -1)
    return (rows @ columns).view(shape[0], high, wide, shape[1]).permute(0, 3, 1, 2)


def input_gradient(call: Backward, _original: Original) -> Gradients | None:
    """The input gradient alone, as a convolution; None where others are needed too, or no graph is recorded."""
    if list(call.wanted) != [True, False, False] or not torch.is_grad_enabled() or call.inputs.dim() != 4:
        return None
    gradient, weight, stride, padding, dilation = call.gradient, call.weight, call.stride, call.padding, call.dilation
    if call.transposed:
        return F.conv2d(gradient, weight, None, stride, padding, dilation, call.groups), None, None
    # Rows and columns at the far edge of the inputs that no filter reached.
    left_over = [
        size - (steps - 1) * stride[side] + 2 * padding[side] - dilation[side] * (weight.shape[2 + side] - 1) - 1
        for side, (size, steps) in enumerate(zip(call.inputs.shape[2:], gradient.shape[2:], strict=True))
    ]
    found = F.conv_transpose2d(gradient, weight, None, stride, padding, left_over, call.groups, dilation)
    return found, None, None
