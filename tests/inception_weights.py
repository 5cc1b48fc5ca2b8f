"""A weight file in the form of the published one, of random numbers: what is equal for these is equal for any."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import torch
from torch import Tensor, nn

from ganops.evaluation.extractors.inception import build_network


def random_state(seed: int = 0) -> dict[str, Tensor]:
    """Weights that keep the size of activations from layer to layer (He et al. 2015), so that features differ."""
    torch.manual_seed(seed)
    network = build_network()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_in = module.weight[0].numel()
            nn.init.normal_(module.weight, std=sqrt(2 / fan_in))
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def save_random_weights(path: Path, seed: int = 0) -> dict[str, Tensor]:
    """Write them as pytorch-fid expects its file."""
    state = random_state(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return state
