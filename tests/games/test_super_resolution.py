"""Super-resolution: the losses of both stages, what the second begins from, blends of both generators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playing import random_batch, recipe, spec_of
from tiny_training import make_trainer, shrunk
from torch import Tensor

from ganops.data.derived.sharpening import sharpened
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.saved import networks_of
from ganops.games.super_resolution import SuperResolution

NETWORKS = {
    "generator": {"kind": "srresnet", "width": 4, "blocks": 1},
    "discriminator": {"kind": "unet-discriminator", "width": 4, "halvings": 1},
}
LITE = {"weight": 0.5, "features": {"kind": "efficientnet-lite0", "layers": {"stem": 1.0}}}
LOW = {"low": {"kind": "downscaled", "of": "image", "factor": 2}}


def built(networks: dict[str, Any] | None = None, **game: Any) -> tuple[SuperResolution, DataSpec]:
    """The game in its second stage, and what its batches are."""
    torch.manual_seed(0)
    settings = {"kind": "super-resolution", "perceptual": None} | game
    made = recipe(game=settings, networks=networks or NETWORKS, derived=LOW)
    spec = recipe_spec(made, spec_of(3, 16))
    found = build_game(made, spec)
    assert isinstance(found, SuperResolution)
    return found, spec


def l1(one: Tensor, other: Tensor) -> Tensor:
    """Of pixels in [0, 1]."""
    return F.l1_loss((one + 1) / 2, (other + 1) / 2)


def test_the_first_stage_is_pixels_alone_for_the_generator_alone() -> None:
    game, spec = built(perceptual=LITE)
    batch = random_batch(spec)
    game.stage = 0
    assert game.active_players == ("generator",)
    losses = game.losses("generator", batch, 0).losses
    assert list(losses) == ["l1"]
    torch.testing.assert_close(losses["l1"], l1(game.generator(batch["low"]), batch["image"]))


def test_the_second_stage_has_the_terms_of_srgan() -> None:
    """0.01 L1 + perceptual - 0.005 log D(G(x)), and the discriminator's cross entropy on both sides, not halved."""
    game, spec = built(perceptual=LITE)
    batch = random_batch(spec)
    assert game.active_players == ("generator", "discriminator")
    losses = game.losses("generator", batch, 0).losses
    made = game.generator(batch["low"])
    real, fake = (game.discriminator(None, images) for images in (batch["image"], made))
    torch.testing.assert_close(losses["loss"], 0.005 * F.softplus(-fake).mean())
    torch.testing.assert_close(losses["l1"], 0.01 * l1(made, batch["image"]))
    assert game.perceptual is not None
    torch.testing.assert_close(losses["perceptual"], game.perceptual(made, batch["image"]))
    found = game.losses("discriminator", batch, 0)
    torch.testing.assert_close(found.total, F.softplus(-real).mean() + F.softplus(fake).mean())
    assert set(found.logs) == {"D(x)", "D(G(x))"}, "no accuracy, which a discriminator may always have here"


def test_the_relativistic_average_loss_is_that_of_esrgan() -> None:
    """Equations 1 and 2 of arXiv:1809.00219, with the authors' halves, by binary cross entropies of their labels."""
    game, spec = built(loss="relativistic-average")
    batch = random_batch(spec)
    generator = game.losses("generator", batch, 0).losses["loss"]
    discriminator = game.losses("discriminator", batch, 0).total
    fake, real = (game.discriminator(None, each) for each in (game.generator(batch["low"]), batch["image"]))
    bce, one = F.binary_cross_entropy_with_logits, torch.ones_like(real)
    relative = real - fake.mean(), fake - real.mean()
    torch.testing.assert_close(generator, 0.005 * (bce(relative[0], 0 * one) + bce(relative[1], one)) / 2)
    torch.testing.assert_close(discriminator, (bce(relative[0], one) + bce(relative[1], 0 * one)) / 2)


def test_real_esrgan_compares_pixels_with_a_sharpened_truth_but_shows_the_discriminator_the_true_one() -> None:
    game, spec = built(sharpen=True, pixel_weight=1.0)
    batch = random_batch(spec)
    losses = game.losses("generator", batch, 0).losses
    torch.testing.assert_close(losses["l1"], l1(game.generator(batch["low"]), sharpened(batch["image"])))
    seen = []
    game.discriminator.register_forward_pre_hook(lambda _network, given: seen.append(given[1]))
    game.losses("discriminator", batch, 0)
    assert seen[0] is batch["image"]


def test_the_discriminator_sees_what_the_generators_turn_made() -> None:
    game, spec = built()
    batch = random_batch(spec)
    game.losses("generator", batch, 0)
    made = game.generator(batch["low"]).detach()
    with torch.no_grad():
        for weight in game.generator.parameters():
            weight.add_(1)
    seen = []
    game.discriminator.register_forward_pre_hook(lambda _network, given: seen.append(given[1]))
    game.losses("discriminator", batch, 0)
    torch.testing.assert_close(seen[1], made)


def test_the_second_stage_begins_from_the_average_of_the_first_which_is_kept(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, shrunk("srgan", kimg=0.32), graphs="never")
    boundary, game = trainer.plan.stage_ends[0], trainer.game
    assert isinstance(game, SuperResolution)
    for _ in range(boundary):
        trainer.run_step()
    averaged = {name: tensor.clone() for name, tensor in trainer.ema.game.generator.state_dict().items()}
    assert not same(game.generator.state_dict(), averaged)
    for _ in range(trainer.plan.steps - boundary):
        trainer.run_step()
    assert same(game.pixel_generator.state_dict(), averaged)
    assert same(trainer.ema.game.pixel_generator.state_dict(), averaged)
    assert not same(trainer.ema.game.generator.state_dict(), averaged)
    assert game.pretrained["perceptual"].sha256.startswith("57934424")
    assert set(networks_of(game)) == {"generator", "pixel_generator", "discriminator"}, "no feature network is saved"


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in other)


def test_a_blend_is_the_mean_of_both_networks_weights() -> None:
    game, spec = built()
    inputs = random_batch(spec).only(["low"])
    with torch.no_grad():
        for weight in game.pixel_generator.parameters():
            weight.mul_(1.5)
    final, first = game.generator(inputs["low"]), game.pixel_generator(inputs["low"])
    answers = {name: answer(inputs)["image"] for name, answer in game.alternatives().items()}
    torch.testing.assert_close(game.generate(inputs)["image"], final)
    torch.testing.assert_close(answers["pixels-alone"], first)
    game.blend = 0.25
    found = game.generate(inputs)["image"]
    with torch.no_grad():
        for own, other in zip(game.generator.parameters(), game.pixel_generator.parameters(), strict=True):
            own.mul_(0.25).add_(0.75 * other)
    torch.testing.assert_close(found, game.generator(inputs["low"]))
    game.stage = 0
    (
        torch.testing.assert_close(game.generate(inputs)["image"], game.generator(inputs["low"])),
        "nothing to blend with yet",
    )


def test_an_output_depends_on_its_own_source_alone() -> None:
    """Whatever batch it is in, in whatever order, in training mode or not."""
    game, spec = built()
    low = random_batch(spec, 6)["low"]
    alone = torch.cat([game.eval().generate(Rows({"low": each}))["image"] for each in low.split(1)])
    shuffled = game.train().generate(Rows({"low": low.flip(0)}))["image"].flip(0)
    torch.testing.assert_close(alone, shuffled, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"networks": NETWORKS | {"generator": {"kind": "srresnet", "source": "image"}}}, "other-fields"),
        ({"networks": NETWORKS | {"discriminator": {"kind": "patchgan", "source": "low"}}}, "image-size"),
        ({"source": "small"}, "missing-field"),
        ({"pixel_share": 1.0}, "bad-value"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(**changes)
    assert caught.value.code == code
