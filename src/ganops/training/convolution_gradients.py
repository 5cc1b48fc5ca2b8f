"""Gradients of convolutions on a CPU, computed another way where torch's own is slow.

Weight gradients in bfloat16: oneDNN sums the gradient of a filter over small maps slowly. For maps of 4 x 4 pixels,
cutting the inputs into patches and multiplying once takes a half to a ninth of the time, for single pixels a twentieth,
for maps of 8 x 8 a half where channels are many. Else oneDNN is mostly the faster one, and stays in charge.

Input gradients that are differentiated again, as penalties on gradients want it: the input gradient of a convolution is
a transposed convolution, and the other way round. Written as that, its derivatives are ordinary gradients of
convolutions. Torch's formula makes them of convolutions whose batch has become channels, and takes up to three times as
long.

Measured in docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Maps on which the product was the faster way with all filters tried.
MOST_PIXELS = 16
MOST_PIXELS_OF_WIDE, WIDE = 64, 64  # the second in channels

NAME = "convolution_backward"
Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]
TorchsOwn = Callable[..., Gradients]


class Call(NamedTuple):
    """The arguments of `aten::convolution_backward`; wanted: whether those of inputs, weight, bias are asked for."""

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


@cache
def hasten_convolution_gradients() -> torch.library.Library:
    """Put the faster ways before torch's own kernels for the rest of this process; what they are not for goes on.

    Which gradients are computed, and their derivatives, stay autograd's affair. Called again, it does nothing. Returns
    what holds the change: it is undone when that is collected.
    """
    # torch leaves Library without types.
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    for key, faster in (("CPU", _weight_gradient), ("AutogradCPU", _input_gradient)):
        torchs_own = torch.library.get_kernel(f"aten::{NAME}", key)
        library.impl(NAME, _kernel(faster, torchs_own.call_boxed), key, with_keyset=True)  # type: ignore[no-untyped-call]
    return library


def _kernel(faster: Callable[[Call, TorchsOwn], Gradients | None], torchs_own: TorchsOwn) -> TorchsOwn:
    def kernel(keys: object, *arguments: Any) -> Gradients:
        def pass_on(call: Call) -> Gradients:
            return torchs_own(keys, *call)

        call = Call(*arguments)
        return faster(call, pass_on) or pass_on(call)

    return kernel


def _weight_gradient(call: Call, torchs_own: TorchsOwn) -> Gradients | None:
    """The gradients with the weight's as one product; None where it does not pay."""
    # A transposed convolution is one whose inputs and outputs have changed places: the patches are the outputs' then.
    few, many = (call.inputs, call.gradient) if call.transposed else (call.gradient, call.inputs)
    wants_input, wants_weight, wants_bias = call.wanted
    plain = few.dim() == 4 and call.groups == 1 and max(call.dilation) == 1
    if not (wants_weight and plain and few.dtype == torch.bfloat16):
        return None
    if few.shape[2] * few.shape[3] > (MOST_PIXELS_OF_WIDE if few.shape[1] >= WIDE else MOST_PIXELS):
        return None
    in_inputs = in_bias = None
    if wants_input or wants_bias:
        in_inputs, _, in_bias = torchs_own(call._replace(wanted=[wants_input, False, wants_bias]))
    return in_inputs, _product(few, many, call.weight.shape, call.stride, call.padding), in_bias


def _product(few: Tensor, many: Tensor, shape: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> Tensor:
    """Outer products of channels and patch, summed over positions: the gradient of a filter of `shape`, channels-last.

    few: (N, A, h, w), a position for each patch; many: (N, B, H, W), which the patches are cut from; shape: A, B, and
    the patch's height and width.
    """
    rows = few.transpose(0, 1).reshape(shape[0], -1)
    padded = F.pad(many.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1], padding[0], padding[0])).contiguous()
    high, wide = shape[2:]
    patches = padded.unfold(1, high, stride[0]).unfold(2, wide, stride[1])  # (N, h, w, B, high, wide), a view
    columns = patches.permute(0, 1, 2, 4, 5, 3).reshape(rows.shape[1], -1)
    return (rows @ columns).view(shape[0], high, wide, shape[1]).permute(0, 3, 1, 2)


def _input_gradient(call: Call, _torchs_own: TorchsOwn) -> Gradients | None:
    """The inputs' gradient alone, as the convolution that it is; None where others are wanted or no graph is kept."""
    if list(call.wanted) != [True, False, False] or not torch.is_grad_enabled() or call.inputs.dim() != 4:
        return None
    gradient, weight, stride, padding, dilation = call.gradient, call.weight, call.stride, call.padding, call.dilation
    if call.transposed:
        return F.conv2d(gradient, weight, None, stride, padding, dilation, call.groups), None, None
    # Rows and columns of the inputs that no filter reached at the far edge.
    left_over = [
        size - (steps - 1) * stride[side] + 2 * padding[side] - dilation[side] * (weight.shape[2 + side] - 1) - 1
        for side, (size, steps) in enumerate(zip(call.inputs.shape[2:], gradient.shape[2:], strict=True))
    ]
    found = F.conv_transpose2d(gradient, weight, None, stride, padding, left_over, call.groups, dilation)
    return found, None, None
