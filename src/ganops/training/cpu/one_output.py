"""Convolutions to a single channel, such as a grey image or the logits of patches, and their gradients.

oneDNN computes eight or sixteen output channels at once and wastes all but one. Here each tap of the filter is a row of
one matrix product over all pixels, and the rows are shifted and added. That takes a half to a quarter of the time; with
two channels it does not always pay.

Measured in docs/measurements/training-speed.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def is_to_one(weight: Tensor, stride: Sequence[int], dilation: Sequence[int], groups: int) -> bool:
    """Whether a convolution with this (A, B, h, w) filter has one output channel and takes every pixel."""
    return weight.dim() == 4 and len(weight) == groups == 1 and max(*stride, *dilation) == 1


def to_one(inputs: Tensor, weight: Tensor, bias: Tensor | None, padding: Sequence[int]) -> Tensor:
    """Convolve (N, B, H, W) inputs with a (1, B, h, w) filter in steps of one: (N, 1, H', W')."""
    taps, pixels = _taps(weight), _pixels(inputs)
    (count, _, height, width), (rows, columns) = inputs.shape, weight.shape[2:]
    by_tap = (taps @ pixels.t()).view(rows, columns, count, height, width)
    down, across = padding
    by_tap = F.pad(by_tap, (across, across, down, down))
    precise = torch.promote_types(inputs.dtype, torch.float32)
    total = inputs.new_zeros(count, height + 2 * down - rows + 1, width + 2 * across - columns + 1, dtype=precise)
    for row, column, reached in _shifts(by_tap, total.shape[1:]):
        total += by_tap[row, column][reached]
    if bias is not None:
        total += bias
    return total.to(inputs.dtype)[:, None]


def gradients_to_one(
    gradient: Tensor, inputs: Tensor, weight: Tensor, padding: Sequence[int], wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients of inputs, filter and bias, as far as wanted, from the (N, 1, H', W') gradient of `to_one`."""
    (count, channels, height, width), (rows, columns) = inputs.shape, weight.shape[2:]
    down, across = padding
    by_tap = gradient.new_zeros(rows, columns, count, height + 2 * down, width + 2 * across)
    for row, column, reached in _shifts(by_tap, gradient.shape[2:]):
        by_tap[row, column][reached] = gradient[:, 0]
    by_tap = by_tap[..., down : down + height, across : across + width].reshape(rows * columns, -1)
    of_inputs = of_weight = None
    if wanted[0]:
        of_inputs = (by_tap.t() @ _taps(weight)).view(count, height, width, channels).permute(0, 3, 1, 2)
    if wanted[1]:
        of_weight = (by_tap @ _pixels(inputs)).view(1, rows, columns, channels).permute(0, 3, 1, 2)
    return of_inputs, of_weight, gradient.sum((0, 2, 3)) if wanted[2] else None


def _taps(weight: Tensor) -> Tensor:
    """(1, B, h, w) as (h w, B)."""
    return weight.permute(0, 2, 3, 1).reshape(-1, weight.shape[1])


def _pixels(maps: Tensor) -> Tensor:
    """(N, B, H, W) as (N H W, B), without a copy in channels-last format."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def _shifts(by_tap: Tensor, size: Sequence[int]) -> Iterator[tuple[int, int, tuple[slice, slice, slice]]]:
    """Each tap's row and column, and where the (N, H, W) pixels are that it multiplies."""
    for row in range(by_tap.shape[0]):
        for column in range(by_tap.shape[1]):
            yield row, column, (slice(None), slice(row, row + size[0]), slice(column, column + size[1]))
