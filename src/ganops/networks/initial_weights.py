"""The initial weights that several architectures share."""

from __future__ import annotations

from torch import nn


def dcgan_initial_weights(module: nn.Module) -> None:
    """Weights N(0, 0.02), batch-norm gains N(1, 0.02), biases zero (Radford et al. 2015, arXiv:1511.06434)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
