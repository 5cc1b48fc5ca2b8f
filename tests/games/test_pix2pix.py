"""pix2pix: the objective of its paper, whose weights move when, and outputs that depend on their source alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playing import moved, optimizers_of, random_batch, recipe, run_step, snapshot, spec_of

from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.pix2pix import Pix2Pix
from ganops.games.sampling import HeldOut, sample
from ganops.objectives.adversarial import ADVERSARIAL

UNET = {"kind": "unet", "width": 4, "max_width": 8}
PATCHGAN = {"kind": "patchgan", "width": 4, "layers": 1}
NOISE = {"source": {"kind": "noise", "of": "image", "sigma": 0.5}}
GREY = {"source": {"kind": "grey", "of": "image"}}


def built(data: DataSpec | None = None, **changes: Any) -> tuple[Pix2Pix, DataSpec]:
    """The game, and what its batches are."""
    torch.manual_seed(0)
    settings = {"game": {"kind": "pix2pix"}, "derived": NOISE} | changes
    settings.setdefault("networks", {"generator": UNET, "discriminator": PATCHGAN})
    made = recipe(**settings)
    spec = recipe_spec(made, data or spec_of(1, 16))
    game = build_game(made, spec)
    assert isinstance(game, Pix2Pix)
    return game, spec


def test_its_task_is_the_target_of_a_source() -> None:
    game, _ = built()
    assert list(game.tasks) == ["translate"]
    assert (list(game.task.inputs), list(game.task.outputs), list(game.task.latents)) == (["source"], ["image"], [])
    assert game.task.paired
    assert game.default_metric == "psnr"
    assert list(game.players) == ["discriminator", "generator"]


def test_losses_are_those_of_the_paper() -> None:
    """Cross entropy over patches, halved for the discriminator (section 3.3); 100 x L1 for the generator (eq. 4)."""
    game, spec = built()
    batch = random_batch(spec)
    source, truth = batch["source"], batch["image"]
    made = game.generator(source)
    real, fake = game.discriminator(source, truth), game.discriminator(source, made)
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    entropy = F.binary_cross_entropy_with_logits
    expected = 0.5 * (entropy(real, ones) + entropy(fake, zeros))
    turn = game.losses("discriminator", batch, 0)
    torch.testing.assert_close(turn.total, expected)
    torch.testing.assert_close(turn.logs["D(x)"], real.sigmoid().mean())
    torch.testing.assert_close(turn.logs["D(G(x))"], fake.sigmoid().mean())
    assert not any(value.requires_grad for value in turn.logs.values())
    terms = game.losses("generator", batch, 0).losses
    torch.testing.assert_close(terms["loss"], entropy(fake, ones))
    torch.testing.assert_close(terms["l1"], 100 * (made - truth).abs().mean())


@pytest.mark.parametrize("loss", ADVERSARIAL)
def test_each_player_moves_its_own_network_only(loss: str) -> None:
    game, spec = built(game={"kind": "pix2pix", "loss": loss})
    optimizers, batch = optimizers_of(game), random_batch(spec)
    for player, other in (("discriminator", "generator"), ("generator", "discriminator")):
        before = {name: snapshot(network) for name, network in game.named_children()}
        torch.autograd.backward(
            game.losses(player, batch, 0).total, inputs=list(game.get_submodule(player).parameters())
        )
        optimizers[player].step()
        still = set(before[player]) - set(moved(game.get_submodule(player), before[player]))
        assert not [key for key in still if before[player][key].numel() > 1]  # D's last bias falls out of a difference
        assert not moved(game.get_submodule(other), before[other])


def test_generator_plays_with_the_targets_that_its_opponent_has_seen() -> None:
    """One pass through the generator for both turns of a step; a second turn of the generator takes its own."""
    game, spec = built()
    passes = list[int]()
    game.generator.register_forward_hook(lambda *_: passes.append(1))
    batch = random_batch(spec)
    for player, expected in (("discriminator", 1), ("generator", 1), ("generator", 2), ("discriminator", 3)):
        game.losses(player, batch, 0)
        assert len(passes) == expected


def test_without_its_weight_there_is_no_l1() -> None:
    game, spec = built(game={"kind": "pix2pix", "l1_weight": 0})
    assert set(game.losses("generator", random_batch(spec), 0).losses) == {"loss"}


def test_source_and_target_may_differ_in_channels() -> None:
    """Colour from grey: both networks, the outputs, and the figure, which shows all rows in the target's colours."""
    game, spec = built(spec_of(3, 16), derived=GREY)
    batch = random_batch(spec, 12)
    run_step(game, batch, 0, optimizers_of(game))
    assert game.generate(Rows({"source": batch["source"]}))["image"].shape == (12, 3, 16, 16)
    figure = game.figures(batch, batch)["translations"]
    assert figure.columns == 10
    assert figure.modelled.shape == (3 * 10, 3, 16, 16)
    source, _, truth = torch.split(figure.modelled, 10)
    torch.testing.assert_close(source[:, 0], batch["source"][:10, 0], rtol=0, atol=1 / 127)  # a grey level of rounding
    assert torch.equal(source[:, 0], source[:, 2])
    assert torch.equal(truth, batch["image"][:10])


def test_fields_may_have_other_names() -> None:
    data = DataSpec(fields={"photo": ImageField(channels=3, size=16), "map": ImageField(channels=1, size=16)})
    names = {"source": "map", "target": "photo"}
    game, spec = built(
        data,
        derived={},
        game={"kind": "pix2pix", **names},
        networks={"generator": UNET | names, "discriminator": PATCHGAN | names},
    )
    run_step(game, random_batch(spec), 0, optimizers_of(game))
    assert (list(game.task.inputs), list(game.task.outputs)) == (["map"], ["photo"])


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_samples_do_not_depend_on_the_batch(norm: str) -> None:
    """As evaluated and served: stored outputs differ by at most one grey level of rounding."""
    game, spec = built(networks={"generator": UNET | {"norm": norm}, "discriminator": PATCHGAN})
    run_step(game, random_batch(spec), 0, optimizers_of(game))
    stored = Rows({"image": torch.randint(0, 256, (9, 1, 16, 16), dtype=torch.uint8)})
    held_out = HeldOut(stored, spec)
    whole, alone = (
        torch.cat([batch.outputs["image"] for batch in sample(game, 9, 3, held_out=held_out, batch_size=size)])
        for size in (9, 1)
    )
    assert (whole.int() - alone.int()).abs().max() <= 1


def test_generating_draws_no_random_numbers() -> None:
    game, spec = built(networks={"generator": UNET | {"dropout": 0.5}, "discriminator": PATCHGAN})
    inputs, state = Rows({"source": random_batch(spec)["source"]}), torch.get_rng_state()
    game.eval()
    assert torch.equal(game.generate(inputs)["image"], game.generate(inputs)["image"])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"derived": {}}, "missing-field"),
        ({"networks": {"generator": UNET}}, "missing-network"),
        ({"networks": {"generator": PATCHGAN, "discriminator": PATCHGAN}}, "wrong-network"),
        ({"game": {"kind": "pix2pix", "source": "image"}}, "other-fields"),
        ({"networks": {"generator": UNET, "discriminator": PATCHGAN | {"source": "image"}}}, "other-fields"),
    ],
)
def test_recipes_that_do_not_fit_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(**changes)
    assert caught.value.code == code


def test_unpaired_data_are_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        built(spec_of(1, 16).model_copy(update={"paired": False}))
    assert caught.value.code == "unpaired-data"
