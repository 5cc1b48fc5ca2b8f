"""Gradients of what one player trains, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Gradients:
    """Adds a loss's gradients up in the parameters of one player, although its graph runs through others' networks."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self._parameters = parameters

    def add(self, loss: Callable[[], Tensor], *, last: bool) -> None:
        """Compute a scalar loss and add its gradients to those that are there; last: this turn has no further part."""
        del last  # of several processes only
        torch.autograd.backward(loss(), inputs=self._parameters)
