"""Each game learns what it is for, on 8-pixel images whose class is their brightness."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playing import DIGITS, optimizers_of, recipe, run_step, spec_of
from torch import Tensor

from ganops.data.rows import Rows
from ganops.games.bidirectional import Bidirectional
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.infogan import InfoGan, to_codes
from ganops.games.sampling import draw_latents
from ganops.objectives.mutual_information import split_codes

SPEC = spec_of(1, 8, DIGITS)
BRIGHTNESS = torch.tensor([-0.75, -0.25, 0.25, 0.75])

MLP_GENERATOR = {"kind": "mlp-generator", "widths": [64, 64], "latent_dim": 8, "norm": False}
MLP_DISCRIMINATOR = {"kind": "mlp-discriminator", "widths": [64, 64]}


def bright_batch(count: int = 64) -> Rows:
    """Images of one brightness each, with a little noise."""
    labels = torch.randint(0, 4, (count,))
    images = BRIGHTNESS[labels][:, None, None, None] + 0.05 * torch.randn(count, 1, 8, 8)
    return Rows({"image": images.clamp(-1, 1), "label": labels})


def trained(game: dict[str, Any], steps: int, lr: float = 2e-3, **networks: dict[str, Any]) -> Game:
    torch.manual_seed(0)
    sections = {"generator": MLP_GENERATOR, "discriminator": MLP_DISCRIMINATOR} | networks
    made = build_game(recipe(game=game, networks=sections), SPEC)
    optimizers = {
        name: torch.optim.Adam(o.param_groups[0]["params"], lr, (0.5, 0.99)) for name, o in optimizers_of(made).items()
    }
    for step in range(steps):
        run_step(made, bright_batch(), step, optimizers)
    return made.eval()


@torch.no_grad()
def brightness_by_label(game: Game) -> Tensor:
    """(4,) mean brightness of the images of each label."""
    latents = draw_latents(game.task.latents, 128, seed=0)
    assert latents is not None
    images = game.generate(latents.merged({"label": torch.arange(4).repeat_interleave(32)}))["image"]
    return images.mean(dim=(1, 2, 3)).view(4, 32).mean(dim=1)


@pytest.mark.parametrize(
    "labels",
    [pytest.param("one-hot", marks=pytest.mark.slow), pytest.param("embedding", marks=pytest.mark.slow), "projection"],
)
def test_conditional_generator_follows_its_labels(labels: str) -> None:
    game = trained(
        {"kind": "conditional", "loss": "non-saturating"},
        300,
        lr=4e-3,
        generator=MLP_GENERATOR | {"labels": "one-hot" if labels == "projection" else labels},
        discriminator=MLP_DISCRIMINATOR | {"labels": labels},
    )
    torch.testing.assert_close(brightness_by_label(game), BRIGHTNESS, atol=0.3, rtol=0)


@pytest.mark.slow
def test_auxiliary_classifier_makes_the_generator_follow_its_labels() -> None:
    game = trained(
        {"kind": "auxiliary-classifier", "loss": "non-saturating"}, 200, generator=MLP_GENERATOR | {"labels": "one-hot"}
    )
    torch.testing.assert_close(brightness_by_label(game), BRIGHTNESS, atol=0.3, rtol=0)


def test_infogan_codes_come_to_mean_something() -> None:
    """At least three quarters of the categorical code's entropy can be read off the images."""
    section = {"kind": "infogan", "loss": "non-saturating", "categorical": [4], "continuous": 1}
    game = trained(section, 200, generator=MLP_GENERATOR | {"latent_dim": 12})
    assert isinstance(game, InfoGan)
    terms = game.losses("discriminator", bright_batch(256), 0).losses
    assert -terms["categorical information"].item() > 0.75 * torch.tensor(4.0).log().item()


def test_infogan_latents_become_uniform_codes_without_randomness() -> None:
    torch.manual_seed(0)
    latents = torch.randn(20_000, 9)
    codes = to_codes(latents, [3, 2], 2)
    assert torch.equal(codes, to_codes(latents, [3, 2], 2))
    assert torch.equal(codes[:, :2], latents[:, :2])
    (three, two), uniform = split_codes(codes, [3, 2], 2)
    assert torch.equal(three.sum(dim=1), torch.ones(20_000))
    # Shares of 20,000 draws have a standard error of 0.0035; four of these.
    torch.testing.assert_close(three.mean(dim=0), torch.full((3,), 1 / 3), atol=0.014, rtol=0)
    torch.testing.assert_close(two.mean(dim=0), torch.full((2,), 1 / 2), atol=0.014, rtol=0)
    quantiles = torch.tensor([0.1, 0.5, 0.9])
    torch.testing.assert_close(uniform[:, 0].quantile(quantiles), quantiles * 2 - 1, atol=0.03, rtol=0)


@pytest.mark.slow
def test_bigan_encoder_learns_to_undo_the_generator() -> None:
    """An image's reconstruction is as bright as the image."""
    game = trained(
        {"kind": "bidirectional", "loss": "non-saturating"},
        800,
        lr=1e-3,
        generator=MLP_GENERATOR | {"latent_dim": 4},
        encoder={"kind": "mlp-encoder", "widths": [64, 64], "latent_dim": 4},
        discriminator={"kind": "mlp-joint-discriminator", "widths": [64, 64], "latent_dim": 4},
    )
    assert isinstance(game, Bidirectional)
    images = bright_batch(128)["image"]
    pairs = torch.stack([side.mean(dim=(1, 2, 3)) for side in (images, game.reconstruct(images))])
    assert torch.corrcoef(pairs)[0, 1] > 0.8


@pytest.mark.slow
def test_self_supervised_discriminator_learns_to_reconstruct() -> None:
    section = {"kind": "self-supervised", "loss": "hinge"}
    terms = []
    for steps in (1, 60):
        game = trained(
            section,
            steps,
            generator={"kind": "fastgan-generator", "width": 8, "latent_dim": 8},
            discriminator={"kind": "fastgan-discriminator", "width": 8},
        )
        terms.append(game.losses("discriminator", bright_batch(), 0).losses["reconstruct"].item())
    assert terms[1] < terms[0] / 2
