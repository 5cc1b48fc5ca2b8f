"""What a recipe may add to a GAN: each option does what its paper says, and nothing while it is off."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playing import DIGITS, optimizers_of, points_spec, random_batch, recipe, run_step, spec_of
from torch import Tensor

from ganops.data.rows import Rows
from ganops.errors import SettingsError
from ganops.games.augmentation import AdaSettings
from ganops.games.build import build_game
from ganops.games.regularisers import NoiseSettings, PathLengthSettings, TopKSettings, orthogonal_term
from ganops.games.standard_gan import StandardGAN
from ganops.networks.network import Discriminator

SPEC = spec_of(1, 28)


def gan(networks: dict[str, Any] | None = None, **game: Any) -> StandardGAN:
    torch.manual_seed(0)
    sections = {"kind": "unconditional", "loss": "non-saturating", **game}
    changes = {f"networks__{name}": section for name, section in (networks or {}).items()}
    made = build_game(recipe(game=sections, **changes), SPEC)
    assert isinstance(made, StandardGAN)
    return made


def discriminator_terms(game: StandardGAN, batch: Rows) -> dict[str, float]:
    torch.manual_seed(1)
    return {name: value.item() for name, value in game.losses("discriminator", batch, 0).losses.items()}


def test_plain_gan_has_one_term_for_each_side() -> None:
    game, batch = gan(), random_batch(SPEC)
    assert set(game.losses("discriminator", batch, 0).losses) == {"loss"}
    assert set(game.losses("generator", batch, 0).losses) == {"loss"}


def test_smoothing_lowers_the_pull_on_real_logits() -> None:
    batch = random_batch(SPEC)
    plain, smooth = gan(), gan(real_target=0.9)
    terms = discriminator_terms(smooth, batch)
    torch.manual_seed(1)
    real = plain.discriminator(batch["image"]).mean().item()
    assert terms["smoothing"] == pytest.approx(0.1 * real, abs=1e-6)
    assert terms["loss"] == pytest.approx(discriminator_terms(plain, batch)["loss"], abs=1e-6)


def test_smoothing_is_refused_for_losses_without_labels() -> None:
    with pytest.raises(SettingsError) as caught:
        gan(loss="hinge", real_target=0.9)
    assert "real_target" in caught.value.expected


def test_both_zero_centred_penalties_are_summed() -> None:
    batch = random_batch(SPEC)
    r1 = discriminator_terms(gan(penalty={"kind": "r1", "weight": 1.0}), batch)["r1"]
    both = discriminator_terms(gan(penalty={"kind": "r1-r2", "weight": 1.0}), batch)["r1-r2"]
    assert both > r1 > 0


def test_consistency_is_zero_for_a_constant_discriminator() -> None:
    game, batch = gan(consistency={"real": 10.0, "fake": 10.0}), random_batch(SPEC)
    assert discriminator_terms(game, batch)["consistency"] > 0
    torch.nn.init.zeros_(game.discriminator.get_parameter("layers.0.weight"))
    assert discriminator_terms(game, batch)["consistency"] == pytest.approx(0.0, abs=1e-9)


def test_instance_noise_fades() -> None:
    noise, images = NoiseSettings(std=0.5, steps=10), torch.zeros(1, 1, 100, 100)
    assert [noise.apply(images, step).std().item() for step in (0, 5)] == pytest.approx([0.5, 0.25], rel=0.05)
    assert torch.equal(noise.apply(images, 10), images)
    assert torch.equal(noise.apply(images, 99), images)


def test_top_k_narrows_down_to_its_least_share() -> None:
    settings = TopKSettings(decay=0.9, every=2, least=0.8)
    assert [settings.share(step) for step in range(6)] == pytest.approx([1, 1, 0.9, 0.9, 0.81, 0.81])
    assert settings.share(1000) == 0.8


def generated(game: StandardGAN) -> list[Tensor]:
    """Collects what the generator returns from now on."""
    rows: list[Tensor] = []
    game.generator.register_forward_hook(lambda _module, _inputs, output: rows.append(output.detach()))
    return rows


def test_top_k_loss_is_that_of_the_most_convincing_fakes() -> None:
    game, batch = gan(loss="wasserstein", top_k={"decay": 0.5, "every": 1, "least": 0.25}), random_batch(SPEC)
    fakes = generated(game)
    game.losses("discriminator", batch, 2)
    best = game.discriminator(fakes[0]).max()
    assert game.losses("generator", batch, 2).total.item() == pytest.approx(-best.item(), abs=1e-6)


def test_relativistic_generator_compares_its_rows_with_real_ones() -> None:
    game, batch = gan(loss="relativistic"), random_batch(SPEC)
    fakes = generated(game)
    game.losses("discriminator", batch, 0)
    expected = torch.nn.functional.softplus(game.discriminator(batch["image"]) - game.discriminator(fakes[0])).mean()
    assert game.losses("generator", batch, 0).total.item() == pytest.approx(expected.item(), abs=1e-6)


def test_orthogonal_term_leaves_embeddings_alone() -> None:
    network = torch.nn.Sequential(torch.nn.Embedding(3, 3), torch.nn.Linear(2, 2))
    torch.nn.init.ones_(network[1].weight)  # rows (1, 1) twice: inner product 2, counted twice, squared
    assert orthogonal_term(network, 0.5)["orthogonal"].item() == pytest.approx(4.0)
    assert orthogonal_term(network, 0.0) == {}


def test_ada_grows_while_the_discriminator_is_too_sure_of_real_images_and_falls_otherwise() -> None:
    settings = AdaSettings(kind="ada", target=0.6, speed_kimg=1.0, images=8)
    strength, signs = torch.zeros(()), torch.zeros(2)
    sure, unsure = torch.tensor([4.0, 4.0]), torch.tensor([0.0, 4.0])
    for new, expected in (
        (sure, 0.0),
        (sure, 0.008),
        (sure, 0.008),
        (sure, 0.016),
        (unsure, 0.016),
        (unsure, 0.008),
    ):
        settings.adapt(strength, signs, new)
        assert strength.item() == pytest.approx(expected, abs=1e-7)
    for _ in range(500):
        settings.adapt(strength, signs, sure)
    assert strength.item() == 1.0


def test_ada_goes_by_the_real_images_of_all_processes() -> None:
    """Each of two processes has one half of a batch; both adapt by the mean of the two."""
    game = gan(augment={"kind": "ada", "target": -0.9, "speed_kimg": 1.0, "images": 8})
    game.step_signs.copy_(torch.tensor([2.0, 4.0]))
    game.on_step_end(processes=2)
    assert game.augment_strength.item() == pytest.approx(0.008)


def test_state_of_ada_and_path_length_is_in_the_state_dict() -> None:
    style = {"kind": "stylegan2-generator", "width": 4, "max_width": 8, "latent_dim": 7, "mapping": 1}
    game = gan({"generator": style}, augment={"kind": "ada", "images": 1}, path_length={"every": 2})
    run_step(game, random_batch(SPEC), 0, optimizers_of(game))
    state = game.state_dict()
    assert state["path_length_mean"] > 0
    assert state["augment_signs"].shape == (2,)
    assert not game.step_signs.any(), "what no checkpoint holds is empty between steps"
    other = gan({"generator": style}, augment={"kind": "ada", "images": 1}, path_length={"every": 2})
    other.load_state_dict(state)
    assert torch.equal(other.path_length_mean, game.path_length_mean)
    assert "path-length" in game.losses("generator", random_batch(SPEC), 2).losses
    assert "path-length" not in game.losses("generator", random_batch(SPEC), 3).losses


def test_the_mean_path_length_starts_at_the_first_lengths_and_then_follows_slowly() -> None:
    style = {"kind": "stylegan2-generator", "width": 4, "max_width": 8, "latent_dim": 7, "mapping": 1}
    game, settings = gan({"generator": style}, path_length={}), PathLengthSettings(every=1, decay=0.25)

    def pay(mean: Tensor, seed: int) -> Tensor:
        torch.manual_seed(seed)
        settings.term(game.generator, torch.randn(4, 7), None, mean, 0)
        return mean

    first, second = pay(torch.zeros(()), 1), pay(torch.zeros(()), 2)
    assert first > 0
    assert torch.allclose(pay(first.clone(), 2), 0.75 * first + 0.25 * second)


def test_path_length_needs_a_style_generator() -> None:
    with pytest.raises(SettingsError) as caught:
        gan(path_length={})
    assert (caught.value.code, caught.value.found) == ("wrong-network", "MlpGenerator")


def test_discriminator_sees_augmented_images_and_gradients_reach_the_generator() -> None:
    game, batch = gan(augment={"kind": "diffaugment", "policy": ["translation"]}), random_batch(SPEC)
    seen: list[Tensor] = []
    game.discriminator.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    game.losses("discriminator", batch, 0)
    assert not torch.equal(seen[0], batch["image"])
    loss = game.losses("generator", batch, 0).total
    gradients = torch.autograd.grad(loss, list(game.generator.parameters()))
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


class Linear(Discriminator):
    """D(x) = sum of x."""

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return images.flatten(1).sum(dim=1)


def test_r1_differentiates_through_the_augmentation() -> None:
    """Cutout removes pixels, so D(T(x)) of a linear D depends on x less than D(x) does."""
    batch = random_batch(SPEC, 64)
    plain, cut = (
        gan(penalty={"kind": "r1", "weight": 1.0}, augment=augment)
        for augment in (None, {"kind": "diffaugment", "policy": ["cutout"]})
    )
    for game in (plain, cut):
        game.discriminator = Linear()
    whole, part = (discriminator_terms(game, batch)["r1"] for game in (plain, cut))
    assert whole == pytest.approx(0.5 * 28 * 28)
    assert 0.7 * whole < part < 0.9 * whole  # 75 % of the pixels, and more where the square hangs over the edge


@pytest.mark.parametrize(
    ("section", "key"), [({"kind": "adaptive"}, "augment"), ({"kind": "diffaugment", "polcy": ["flip"]}, "polcy")]
)
def test_mistakes_inside_an_augmentation_are_named(section: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        gan(augment=section)
    assert key in caught.value.message


@pytest.mark.parametrize("option", [{"augment": {"kind": "ada"}}, {"consistency": {}}])
def test_options_for_images_are_refused_for_vectors(option: dict[str, Any]) -> None:
    game = {"kind": "unconditional", "loss": "non-saturating", **option}
    with pytest.raises(SettingsError) as caught:
        build_game(recipe(game=game), points_spec())
    assert caught.value.code == "missing-field"


def test_labels_on_one_side_only_are_refused() -> None:
    labelled = {"kind": "mlp-generator", "widths": [4], "labels": "one-hot"}
    with pytest.raises(SettingsError) as caught:
        build_game(recipe(networks__generator=labelled), spec_of(1, 28, DIGITS))
    assert caught.value.code == "labels-not-given"
    conditional = {"kind": "conditional", "loss": "hinge"}
    with pytest.raises(SettingsError) as caught:
        build_game(recipe(networks__generator=labelled, game=conditional), spec_of(1, 28, DIGITS))
    assert caught.value.code == "labels-ignored"


def test_data_without_labels_are_refused_by_a_conditional_game() -> None:
    networks = {
        "generator": {"kind": "mlp-generator", "widths": [4], "labels": "one-hot"},
        "discriminator": {"kind": "mlp-discriminator", "widths": [4], "labels": "projection"},
    }
    with pytest.raises(SettingsError) as caught:
        build_game(recipe(networks=networks, game={"kind": "conditional", "loss": "hinge"}), SPEC)
    assert caught.value.code == "no-classes"


def test_a_fixed_probability_follows_its_schedule_whatever_the_discriminator_says() -> None:
    augment = {"kind": "ada-fixed", "probability": 0.4, "first": 0.0, "steps": 10, "schedule": "cosine"}
    game, batch = gan(augment=augment), random_batch(SPEC)
    for step, expected in ((0, 0.0), (5, 0.2), (10, 0.4), (99, 0.4)):
        game.losses("discriminator", batch, step)
        game.on_step_end(processes=1)
        assert game.augment_strength.item() == pytest.approx(expected)
    assert [game.graph_key(step) is None for step in (0, 9, 10)] == [True, True, False]
