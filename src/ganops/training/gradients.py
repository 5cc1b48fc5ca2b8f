"""Gradients of the parameters that one player trains, and of no others."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Gradients:
    """Accumulates a loss's gradients in the parameters of one player, although its graph runs through all networks."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self._parameters = parameters

    def add(self, loss: Callable[[], Tensor], *, last: bool) -> None:
        """Compute a scalar loss and add its gradients; last: this turn has no further micro-batch."""
        del last  # matters to several processes only
        torch.autograd.backward(loss(), inputs=self._parameters)
