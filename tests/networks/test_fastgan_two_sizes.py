"""FastGAN's pair of two sizes: patches, reconstructions of the right parts, and losses at both sizes."""

from __future__ import annotations

import pytest
import torch
from playing import spec_of

from ganops.data.rows import Rows
from ganops.errors import SettingsError
from ganops.games.build import build_game, outline_game
from ganops.networks.fastgan_two_sizes import FastganTwoSizesDiscriminator, FastganTwoSizesSettings
from ganops.recipe import OptimizerSettings, Recipe

RECIPE = Recipe(
    summary="FastGAN with narrow networks",
    paper="none",
    image_size=256,
    game={"kind": "self-supervised", "loss": "hinge"},
    networks={
        "generator": {"kind": "fastgan-generator", "latent_dim": 4, "width": 2, "max_width": 8, "second": 128},
        "discriminator": {"kind": "fastgan-two-sizes-discriminator", "width": 8},
    },
    optimizers={"generator": OptimizerSettings(lr=1e-3), "discriminator": OptimizerSettings(lr=1e-3)},
    batch_size=2,
    budget_kimg=1,
)


def test_reconstructions_are_of_the_whole_image_and_of_the_quarter_that_was_drawn() -> None:
    torch.manual_seed(0)
    network = FastganTwoSizesDiscriminator(FastganTwoSizesSettings(width=8), spec_of(1, 256))
    quarter = torch.arange(4.0).view(2, 2).repeat_interleave(128, 0).repeat_interleave(128, 1)
    images = quarter.expand(2, 1, 256, 256)
    features = network.features(images)
    assert (features.shape, network.logits(features).shape) == ((2, network.feature_count), (2 * 25,))
    (whole, its_goal), (part, goal) = network.reconstruct(features, images)
    assert whole.shape == its_goal.shape == part.shape == goal.shape == (2, 1, 128, 128)
    assert its_goal.unique().tolist() == [0, 1, 2, 3]
    with torch.no_grad():
        drawn = {float(network.reconstruct(features, images)[1][1].unique()) for _ in range(12)}
    assert drawn == {0, 1, 2, 3}


def test_both_sizes_are_played() -> None:
    torch.manual_seed(0)
    game = build_game(RECIPE, spec_of(1, 256))
    batch = Rows({"image": torch.rand(2, 1, 256, 256) * 2 - 1})
    found = game.losses("discriminator", batch, 0)
    assert set(found.losses) == {"loss", "small", "reconstruct", "small reconstruct"}
    found.total.backward()
    generator = game.losses("generator", batch, 0)
    assert set(generator.losses) == {"loss", "small"}
    generator.losses["small"].backward()
    weight = dict(game.named_parameters())["generator.second_image.parametrizations.weight.original"]
    assert weight.grad is not None
    assert weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("network", "change", "code"),
    [
        ("generator", {"second": None}, "second-size"),
        ("generator", {"second": 100}, "unsupported-size"),
        ("discriminator", {"kind": "fastgan-discriminator", "width": 8}, "second-size"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(network: str, change: dict[str, object], code: str) -> None:
    section = change if "kind" in change else RECIPE.networks[network] | change
    with pytest.raises(SettingsError) as caught:
        outline_game(RECIPE.model_copy(update={"networks": RECIPE.networks | {network: section}}), spec_of(1, 256))
    assert caught.value.code == code
    if code == "second-size":
        assert caught.value.found in ("128", "null")
