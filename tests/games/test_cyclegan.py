"""CycleGAN: the objective of its paper, both directions, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playing import BOTH_DIRECTIONS, domains_spec, moved, optimizers_of, random_batch, recipe, snapshot

from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.cyclegan import CycleGAN
from ganops.games.sampling import HeldOut, sample

CLASSES = ("0", "1", "2", "3")


def built(data: DataSpec | None = None, **changes: Any) -> tuple[CycleGAN, DataSpec]:
    """The game, and what its batches are."""
    torch.manual_seed(0)
    made = recipe(**({"game": {"kind": "cyclegan"}, "networks": BOTH_DIRECTIONS} | changes)).model_copy(
        update={"optimizers": {name: recipe().optimizers["generator"] for name in ("generator", "discriminator")}}
    )
    spec = recipe_spec(made, data or domains_spec(1, 16, CLASSES))
    game = build_game(made, spec)
    assert isinstance(game, CycleGAN)
    return game, spec


def test_both_directions_are_tasks_whose_outputs_keep_the_class_of_their_source() -> None:
    game, _ = built()
    assert {name: (list(task.inputs), list(task.outputs)) for name, task in game.tasks.items()} == {
        "AtoB": (["A"], ["B"]),
        "BtoA": (["B"], ["A"]),
    }
    assert [task.class_column for task in game.tasks.values()] == ["A_label", "B_label"]
    assert not any(task.latents or task.paired for task in game.tasks.values())
    assert [task.class_column for task in built(domains_spec(1, 16))[0].tasks.values()] == [None, None]


def test_the_generators_minimise_the_objective_of_the_paper() -> None:
    """Squared errors to 1 over patches, 10 x L1 of the cycles (equations 1 to 3), 5 x L1 of identities (5.2)."""
    game, spec = built()
    batch = random_batch(spec)
    a, b = batch["A"], batch["B"]
    fake_a, fake_b = game.b_to_a(b), game.a_to_b(a)
    logits = game.discriminator_a(None, fake_a), game.discriminator_b(None, fake_b)
    expected = sum(F.mse_loss(each, torch.ones_like(each)) for each in logits)
    expected = expected + 10 * (F.l1_loss(game.b_to_a(fake_b), a) + F.l1_loss(game.a_to_b(fake_a), b))
    expected = expected + 5 * (F.l1_loss(game.b_to_a(a), a) + F.l1_loss(game.a_to_b(b), b))
    torch.testing.assert_close(game.losses("generator", batch, 0).total, expected)


def test_the_discriminators_minimise_half_the_squared_errors_of_real_and_generated_patches() -> None:
    game, spec = built()
    batch = random_batch(spec)
    terms = game.losses("discriminator", batch, 0).losses
    for name, discriminator, fake in (
        ("A", game.discriminator_a, game.b_to_a(batch["B"])),
        ("B", game.discriminator_b, game.a_to_b(batch["A"])),
    ):
        real, generated = discriminator(None, batch[name]), discriminator(None, fake)
        expected = 0.5 * (F.mse_loss(real, torch.ones_like(real)) + F.mse_loss(generated, torch.zeros_like(generated)))
        torch.testing.assert_close(terms[f"loss_{name}"], expected)
    assert int(game.pool_a.filled) == int(game.pool_b.filled) == len(batch)


def test_each_player_moves_the_networks_of_both_directions_and_no_other() -> None:
    game, spec = built()
    optimizers, batch = optimizers_of(game), random_batch(spec)
    for player, names in game.players.items():
        before = {name: snapshot(network) for name, network in game.named_children()}
        parameters = [parameter for name in names for parameter in game.get_submodule(name).parameters()]
        torch.autograd.backward(game.losses(player, batch, 0).total, inputs=parameters)
        optimizers[player].step()
        changed = {name for name, network in game.named_children() if moved(network, before[name])}
        assert changed == set(names)


def test_an_output_depends_on_its_source_alone() -> None:
    game, spec = built()
    rows = Rows({"A": torch.randint(0, 256, (9, 1, 16, 16), dtype=torch.uint8)})
    together = [
        batch.outputs["B"]
        for size in (9, 2)
        for batch in sample(game, 9, 0, held_out=HeldOut(rows, spec), batch_size=size)
    ]
    # Convolutions of other batch sizes may round differently: a grey level at most.
    whole, pieces = together[0].int(), torch.cat(together[1:]).int()
    assert (whole - pieces).abs().max() <= 1


def test_the_class_of_a_sample_is_that_of_its_source() -> None:
    game, spec = built()
    labels = torch.tensor([3, 1, 2])
    rows = Rows({"B": torch.zeros(3, 1, 16, 16, dtype=torch.uint8), "B_label": labels})
    (found,) = sample(game, 3, 0, task="BtoA", held_out=HeldOut(rows, spec))
    assert found.classes is not None
    assert torch.equal(found.classes, labels)
    assert list(found.outputs) == ["A"]


@pytest.mark.parametrize(
    ("data", "changes", "code"),
    [
        (domains_spec(1, 16).model_copy(update={"paired": True}), {}, "paired-data"),
        (None, {"game": {"kind": "cyclegan", "loss": "relativistic"}}, "no-pairs"),
        (None, {"networks": BOTH_DIRECTIONS | {"a_to_b": BOTH_DIRECTIONS["b_to_a"]}}, "other-fields"),
        (None, {"networks": BOTH_DIRECTIONS | {"discriminator_a": BOTH_DIRECTIONS["discriminator_b"]}}, "other-fields"),
        (
            DataSpec(fields={"A": ImageField(channels=1, size=16), "B": ImageField(channels=3, size=16)}, paired=False),
            {},
            "other-fields",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(data: DataSpec | None, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(data, **changes)
    assert caught.value.code == code


def test_domains_of_other_channels_are_translated_without_the_identity_loss() -> None:
    fields = {"A": ImageField(channels=1, size=16), "B": ImageField(channels=3, size=16)}
    game, spec = built(DataSpec(fields=fields, paired=False), game={"kind": "cyclegan", "identity_weight": 0})
    assert game.losses("generator", random_batch(spec), 0).total.isfinite()
    with torch.no_grad():
        figures = game.eval().figures(random_batch(spec), random_batch(spec, 6))
    assert {name: figure.modelled.shape[1:] for name, figure in figures.items()} == {
        "translations-AtoB": (1, 16, 16),
        "translations-BtoA": (3, 16, 16),
    }
