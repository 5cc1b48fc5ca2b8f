"""Optimisers step as torch's plain ones do, whatever order weights and gradients lie in."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganops.recipe import OptimizerSettings
from ganops.training.optimizers import make_optimizer

PLAIN = {
    "adam": lambda weights: torch.optim.Adam(weights, 1e-2, (0.5, 0.9), weight_decay=0.1, foreach=False),
    "adamw": lambda weights: torch.optim.AdamW(weights, 1e-2, (0.5, 0.9), weight_decay=0.1, foreach=False),
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, 1e-2, alpha=0.9, eps=1e-8, weight_decay=0.1, foreach=False),
    "sgd": lambda weights: torch.optim.SGD(weights, 1e-2, momentum=0.5, weight_decay=0.1, foreach=False),
}
ORDERS = (torch.contiguous_format, torch.channels_last)


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("of_weights", ORDERS)
@pytest.mark.parametrize("of_gradients", ORDERS)
def test_steps_are_those_of_the_plain_optimiser(
    kind: str, of_weights: torch.memory_format, of_gradients: torch.memory_format
) -> None:
    torch.manual_seed(0)
    ours = [
        nn.Parameter(torch.randn(6, 5, 4, 4).contiguous(memory_format=of_weights)),
        nn.Parameter(torch.randn(7)),
        nn.Parameter(torch.randn(3, 1, 4, 4).contiguous(memory_format=of_weights)),
    ]
    theirs = [nn.Parameter(weight.detach().clone()) for weight in ours]
    settings = OptimizerSettings.model_validate({"kind": kind, "lr": 1e-2, "betas": [0.5, 0.9], "weight_decay": 0.1})
    mine, plain = make_optimizer(settings, ours, torch.device("cpu")), PLAIN[kind](theirs)
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            gradient = torch.randn(one.shape)
            other.grad = gradient
            one.grad = gradient.contiguous(memory_format=of_gradients) if gradient.dim() == 4 else gradient.clone()
        mine.step()
        plain.step()
    for one, other in zip(ours, theirs, strict=True):
        # The same sums in another order, in float32: a few units of its seventh digit.
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
        for name, moment in mine.state[one].items():
            torch.testing.assert_close(moment, plain.state[other][name], rtol=1e-5, atol=1e-6)
