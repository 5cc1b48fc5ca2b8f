"""The auto-encoder reconstructs, its samples are like the data, and a mixture keeps to where the latents are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playing import optimizers_of, recipe, run_step, spec_of
from torch import Tensor

from ganops.data.rows import Rows
from ganops.errors import SettingsError
from ganops.games.build import build_game
from ganops.games.sampling import sample_outputs
from ganops.games.vae import Vae

SPEC = spec_of(1, 8)
DARK, BRIGHT = -0.8, 0.6


def vae(mixture: int = 0, latent_dim: int = 2, encoder_dim: int = 4, **decoder: Any) -> Vae:
    networks = {
        "encoder": {"kind": "mlp-encoder", "widths": [32], "latent_dim": encoder_dim},
        "decoder": {"kind": "mlp-generator", "widths": [32], "latent_dim": latent_dim, "norm": False, **decoder},
    }
    section = {"kind": "vae", "sigma": 0.2, "mixture": mixture}
    game = build_game(recipe(game=section, networks=networks, optimizers={"autoencoder": {"lr": 1e-3}}), SPEC)
    assert isinstance(game, Vae)
    return game


def batch(count: int = 64) -> Rows:
    """Images of one grey each, dark or bright, never between."""
    level = torch.where(torch.rand(count, 1, 1, 1) < 0.5, DARK, BRIGHT) + 0.05 * torch.randn(count, 1, 1, 1)
    return Rows({"image": level.expand(-1, 1, 8, 8).contiguous()})


def trained(mixture: int = 0, steps: int = 600) -> Vae:
    torch.manual_seed(0)
    game = vae(mixture)
    optimizers = optimizers_of(game, lr=5e-3)
    for step in range(steps):
        run_step(game, batch(), step, optimizers)
    return game.eval()


def greys(game: Vae) -> Tensor:
    """(1000,) mean level of each sample."""
    field = game.task.outputs["image"]
    return field.to_model(sample_outputs(game, 1000, seed=0)["image"]).mean(dim=(1, 2, 3))


def between(levels: Tensor) -> float:
    """The share of levels that are neither dark nor bright."""
    return float(((levels > DARK + 0.3) & (levels < BRIGHT - 0.3)).float().mean())


def test_images_are_reconstructed_and_the_bound_rises() -> None:
    torch.manual_seed(0)
    start = vae().losses("autoencoder", batch(), 0).logs["elbo"].item()
    game, images = trained(), batch()["image"]
    assert game.losses("autoencoder", batch(), 0).logs["elbo"].item() > start
    torch.testing.assert_close(game.reconstruct(images), images, atol=0.1, rtol=0)


def test_terms_are_sums_over_values_and_latents() -> None:
    """With an encoder and a decoder that always return 0 the latents are the prior's, and the image is mid grey."""
    game = vae()
    for network in (game.encoder, game.decoder):
        for parameter in network.parameters():
            torch.nn.init.zeros_(parameter)
    losses = game.losses("autoencoder", Rows({"image": torch.full((3, 1, 8, 8), 0.5)}), 0).losses
    assert losses["kl"].item() == 0
    assert losses["reconstruction"].item() == pytest.approx(64 * 0.25 / (2 * 0.2**2))


def test_samples_of_a_mixture_are_never_between_the_modes() -> None:
    """The prior has latents between those of dark and bright images, the fitted mixture has hardly any."""
    prior, mixture = greys(trained()), greys(trained(mixture=4))
    assert between(mixture) < 0.02 < between(prior)
    assert 0.4 < (mixture > 0).float().mean() < 0.6


def test_a_mixture_adds_a_latent_that_chooses_the_component() -> None:
    assert {name: field.shape for name, field in vae(3).task.latents.items()} == {"z": (2,), "component": (1,)}
    assert list(vae(0).task.latents) == ["z"]


@pytest.mark.parametrize(
    ("changes", "code", "found"),
    [({"encoder_dim": 2}, "latent-dim", "2"), ({"labels": "one-hot"}, "no-classes", "")],
)
def test_networks_that_do_not_fit_are_refused(changes: dict[str, Any], code: str, found: str) -> None:
    with pytest.raises(SettingsError) as caught:
        vae(**changes)
    assert (caught.value.code, caught.value.found) == (code, found)
