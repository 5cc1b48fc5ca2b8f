"""DiscoGAN: the objective of its authors' code, its two rates, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playing import BOTH_DIRECTIONS, domains_spec, moved, optimizers_of, random_batch, recipe, snapshot

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.discogan import DiscoGAN, feature_matching


def built(data: DataSpec | None = None, **game: Any) -> tuple[DiscoGAN, DataSpec]:
    """The game, and what its batches are."""
    torch.manual_seed(0)
    made = recipe(game={"kind": "discogan"} | game, networks=BOTH_DIRECTIONS).model_copy(
        update={"optimizers": {name: recipe().optimizers["generator"] for name in ("generator", "discriminator")}}
    )
    spec = recipe_spec(made, data or domains_spec(1, 16))
    found = build_game(made, spec)
    assert isinstance(found, DiscoGAN)
    return found, spec


@pytest.mark.parametrize(("step", "rate"), [(0, 0.01), (4, 0.01), (5, 0.5)])
def test_the_generators_minimise_the_objective_of_the_authors(step: int, rate: float) -> None:
    """(1 - rate) (0.1 cross entropy + 0.9 feature matching) + rate x squared error, for both domains."""
    game, spec = built(first_steps=5)
    batch = random_batch(spec)
    a, b = batch["A"], batch["B"]
    fake_a, fake_b = game.b_to_a(b), game.a_to_b(a)
    expected = rate * (F.mse_loss(game.b_to_a(fake_b), a) + F.mse_loss(game.a_to_b(fake_a), b))
    for discriminator, real, fake in ((game.discriminator_a, a, fake_a), (game.discriminator_b, b, fake_b)):
        logits = discriminator(None, fake)
        deceived = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        made, true = discriminator.features(None, fake), discriminator.features(None, real)
        matched = sum(((x.mean(0) - y.mean(0)) ** 2).mean() for x, y in zip(made[:-1], true[:-1], strict=True))
        expected = expected + (1 - rate) * (0.1 * deceived + 0.9 * matched)
    torch.testing.assert_close(game.losses("generator", batch, step).total, expected)
    assert game.graph_key(step) == rate


def test_the_discriminators_minimise_half_the_cross_entropies() -> None:
    game, spec = built()
    batch = random_batch(spec)
    terms = game.losses("discriminator", batch, 0).losses
    for name, discriminator, fake in (
        ("A", game.discriminator_a, game.b_to_a(batch["B"])),
        ("B", game.discriminator_b, game.a_to_b(batch["A"])),
    ):
        real, made = discriminator(None, batch[name]), discriminator(None, fake)
        expected = 0.5 * F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
        expected = expected + 0.5 * F.binary_cross_entropy_with_logits(made, torch.zeros_like(made))
        torch.testing.assert_close(terms[f"loss_{name}"], expected)


def test_features_are_compared_by_their_means_over_the_batch() -> None:
    """Two maps of means 1 and 3, in another order within the batch, and a difference of 2 in the second layer."""
    one, other = torch.tensor([[[[0.0]]], [[[2.0]]]]), torch.tensor([[[[2.0]]], [[[0.0]]]])
    assert float(feature_matching([one], [other])) == 0
    assert float(feature_matching([one, one], [other, one + 2])) == pytest.approx(4)


def test_each_player_moves_the_networks_of_both_directions_and_no_other() -> None:
    game, spec = built()
    optimizers, batch = optimizers_of(game), random_batch(spec)
    for player, names in game.players.items():
        before = {name: snapshot(network) for name, network in game.named_children()}
        parameters = [parameter for name in names for parameter in game.get_submodule(name).parameters()]
        torch.autograd.backward(game.losses(player, batch, 0).total, inputs=parameters)
        optimizers[player].step()
        assert {name for name, network in game.named_children() if moved(network, before[name])} == set(names)


@pytest.mark.parametrize(
    ("data", "game", "code"),
    [
        (domains_spec(1, 16).model_copy(update={"paired": True}), {}, "paired-data"),
        (None, {"loss": "relativistic"}, "no-pairs"),
    ],
)
def test_what_does_not_fit_is_an_error(data: DataSpec | None, game: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(data, **game)
    assert caught.value.code == code
