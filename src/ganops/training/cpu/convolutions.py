"""Convolutions on a CPU and their gradients, computed another way where torch's own is slow.

Weight gradients in bfloat16: oneDNN sums the gradient of a filter over small maps slowly. For maps of 4 x 4 pixels,
cutting the inputs into patches and multiplying once takes a half to a ninth of the time, for single pixels a twentieth,
for maps of 8 x 8 a half where channels are many. Else oneDNN is mostly the faster one, and stays in charge.

Input gradients that are differentiated again, as penalties on gradients want it: the input gradient of a convolution is
a transposed convolution, and the other way round. Written as that, its derivatives are ordinary gradients of
convolutions. Torch's formula makes them of convolutions whose batch has become channels, and takes up to three times as
long.

Transposed convolutions to an image, forward or as the gradient of one that begins with an image: see sub_pixels.py.

Bias gradients of transposed convolutions: oneDNN sums them in a reference loop, which can take longer than the weight's
gradient does.

Measured in docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ganops.training.cpu.sub_pixel import DOUBLING, MOST_CHANNELS, doubled

# Maps on which the product was the faster way with all filters tried.
MOST_PIXELS = 16
MOST_PIXELS_OF_WIDE, WIDE = 64, 64  # the second in channels

Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]
TorchsOwn = Callable[..., Any]


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
def install_cpu_kernels() -> torch.library.Library:
    """Put the faster ways before torch's own kernels for the rest of this process; what they are not for goes on.

    Which gradients are computed, and their derivatives, stay autograd's affair. Called again, it does nothing. Returns
    what holds the change: it is undone when that is collected.
    """
    # torch leaves Library without types.
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    for name, key, call, faster in (
        ("convolution", "CPU", Forward, _forward),
        ("convolution_backward", "CPU", Backward, _backward),
        ("convolution_backward", "AutogradCPU", Backward, _input_gradient),
    ):
        torchs_own = torch.library.get_kernel(f"aten::{name}", key)
        library.impl(name, _kernel(call, faster, torchs_own.call_boxed), key, with_keyset=True)  # type: ignore[no-untyped-call]
    return library


def _kernel(make_call: Callable[..., Any], faster: Callable[[Any, TorchsOwn], Any], torchs_own: TorchsOwn) -> TorchsOwn:
    def kernel(keys: object, *arguments: Any) -> Any:
        def pass_on(call: tuple[Any, ...]) -> Any:
            return torchs_own(keys, *call)

        call = make_call(*arguments)
        found = faster(call, pass_on)
        return pass_on(call) if found is None else found

    return kernel


def _forward(call: Forward, _torchs_own: TorchsOwn) -> Tensor | None:
    """A transposed convolution to few channels as a plain one; None for any other."""
    if not call.transposed or max(call.output_padding) > 0 or not _doubles_to_few(call):
        return None
    return doubled(call.inputs, call.weight, call.bias)


def _backward(call: Backward, torchs_own: TorchsOwn) -> Gradients | None:
    """The gradients, each of them the faster way where it pays; None where none does."""
    wants_inputs, wants_weight, wants_bias = call.wanted
    inputs = _inputs_doubled(call) if wants_inputs else None
    weight = _weight_product(call) if wants_weight else None
    bias = _bias_sum(call) if wants_bias else None
    if inputs is None and weight is None and bias is None:
        return None
    left = [wants_inputs and inputs is None, wants_weight and weight is None, wants_bias and bias is None]
    theirs = torchs_own(call._replace(wanted=left)) if any(left) else (None, None, None)
    return (
        theirs[0] if inputs is None else inputs,
        theirs[1] if weight is None else weight,
        theirs[2] if bias is None else bias,
    )


def _inputs_doubled(call: Backward) -> Tensor | None:
    """The inputs' gradient of a convolution that halves an image; None for any other."""
    gradient, inputs = call.gradient, call.inputs
    halved = inputs.shape[2:] == tuple(2 * size for size in gradient.shape[2:])
    return doubled(gradient, call.weight, None) if halved and not call.transposed and _doubles_to_few(call) else None


def _doubles_to_few(call: Forward | Backward) -> bool:
    """Whether a transposed convolution with this filter doubles a map into few enough channels."""
    sides = tuple(tuple(side) for side in (call.weight.shape[2:], call.stride, call.padding, call.dilation))
    return sides == DOUBLING and call.groups == 1 and call.weight.shape[1] <= MOST_CHANNELS


def _bias_sum(call: Backward) -> Tensor | None:
    """The bias's gradient of a transposed convolution; None for any other."""
    return call.gradient.sum([0, *range(2, call.gradient.dim())]) if call.transposed else None


def _weight_product(call: Backward) -> Tensor | None:
    """The weight's gradient as one product; None where it does not pay."""
    # A transposed convolution is one whose inputs and outputs have changed places: the patches are the outputs' then.
    few, many = (call.inputs, call.gradient) if call.transposed else (call.gradient, call.inputs)
    if few.dim() != 4 or few.dtype != torch.bfloat16 or call.groups > 1 or max(call.dilation) > 1:
        return None
    if few.shape[2] * few.shape[3] > (MOST_PIXELS_OF_WIDE if few.shape[1] >= WIDE else MOST_PIXELS):
        return None
    return _product(few, many, call.weight.shape, call.stride, call.padding)


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


def _input_gradient(call: Backward, _torchs_own: TorchsOwn) -> Gradients | None:
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
