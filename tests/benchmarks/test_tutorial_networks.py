"""The plain loop is measured with networks that are ours in all but the way they are written."""

from __future__ import annotations

import pytest
import torch
from playing import spec_of
from torch import Tensor

from benchmarks.tutorial_networks import tutorial_networks
from benchmarks.zoo import RECIPES
from ganops.games.build import build_game
from ganops.recipe import load_recipe


@pytest.mark.parametrize("name", ["dcgan", "wgan-gp", "mlp"])
def test_with_our_weights_they_make_and_judge_the_same_images(name: str) -> None:
    recipe, spec = load_recipe(RECIPES / f"{name}.yaml"), spec_of(1, 32)
    game = build_game(recipe, spec).eval()
    ours = [game.get_submodule("generator"), game.get_submodule("discriminator")]
    theirs = [network.eval() for network in tutorial_networks(recipe, spec)]
    for mine, other in zip(ours, theirs, strict=True):
        pairs = zip(other.state_dict().items(), mine.state_dict().values(), strict=True)
        other.load_state_dict({key: _as(wanted.shape, weight) for (key, wanted), weight in pairs})
    latents = torch.randn(4, recipe.networks["generator"]["latent_dim"])
    images = ours[0](latents)
    # The same sums in float32 in another order.
    torch.testing.assert_close(theirs[0](latents), images, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(theirs[1](images), ours[1](images), rtol=1e-4, atol=1e-5)


def _as(shape: torch.Size, weight: Tensor) -> Tensor:
    """Our head is a layer of units over flattened maps, theirs a convolution of all their pixels."""
    if weight.shape == shape:
        return weight
    return weight.view(1, *shape[2:], shape[1]).permute(0, 3, 1, 2)
