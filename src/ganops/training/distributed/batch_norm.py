"""Batch norm over the micro-batches that several processes compute at the same time, on CPUs and GPUs.

torch.nn.SyncBatchNorm computes the same, but only on GPUs and without second derivatives, which penalties need.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.distributed as distributed
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules.batchnorm import _BatchNorm

from ganops.recipe import Recipe


class CrossProcessBatchNorm(_BatchNorm):
    """A batch norm whose statistics in training are those of all processes; each has equally many rows.

    It has the weights and running statistics of the batch norm that it stands for.
    """

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum, affine=False, device="meta")
        self._parameters, self._buffers = norm._parameters, norm._buffers
        self.train(norm.training)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, ...) to the same shape."""
        if not self.training:
            return super().forward(maps)
        values, shape = maps.float(), (1, -1, *[1] * (maps.ndim - 2))
        positions = [axis for axis in range(maps.ndim) if axis != 1]
        mean = _average(values.mean(dim=positions))
        centred = values - mean.view(shape)
        variance = _average(centred.square().mean(dim=positions))
        self._follow(mean.detach(), variance.detach(), values.numel() // len(mean) * distributed.get_world_size())
        normed = centred * (variance + self.eps).rsqrt().view(shape)
        if self.weight is not None:
            normed = normed * self.weight.view(shape) + self.bias.view(shape)
        return normed.to(maps.dtype)

    def _check_input_dim(self, maps: Tensor) -> None:
        """Any number of axes will do."""

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics; count: values of each channel in all processes."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            assert self.momentum is not None
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / max(count - 1, 1), self.momentum)
            self.num_batches_tracked += 1


def _average(values: Tensor) -> Tensor:
    """The mean over the processes, differentiable any number of times."""
    return cast(Tensor, all_reduce(values)) / distributed.get_world_size()


def norms_across_processes(network: nn.Module, recipe: Recipe) -> None:
    """Replace the batch norms inside `network` where the recipe wants their statistics from all processes."""
    if recipe.batch_norm != "processes" or not distributed.is_initialized():
        return
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, CrossProcessBatchNorm(child))
