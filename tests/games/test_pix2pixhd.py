"""pix2pixHD and SPADE: the objectives of their authors' code, and label maps as sources."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playing import moved, optimizers_of, random_batch, recipe, run_step, snapshot, spec_of
from torch import Tensor

from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.game import Game
from ganops.games.pix2pixhd import Pix2PixHD
from ganops.games.sampling import HeldOut, sample
from ganops.objectives.adversarial import ADVERSARIAL
from ganops.objectives.matching import feature_matching

UNET = {"kind": "unet", "width": 4, "max_width": 8}
SPADE = {"kind": "spade", "width": 4, "hidden": 4}
PATCHGAN = {"kind": "multiscale-patchgan", "width": 4, "layers": 1}
EDGES = {"source": {"kind": "edges", "of": "image"}}
LABELS = LabelMapField(size=16, labels=LabelTable(classes=("sky", "wall", "door")))
MAPS = DataSpec(fields={"image": ImageField(channels=3, size=16), "source": LABELS})


def built(data: DataSpec | None = None, **changes: Any) -> tuple[Pix2PixHD, DataSpec]:
    torch.manual_seed(0)
    settings = {"game": {"kind": "pix2pixhd"}, "derived": {} if data else EDGES} | changes
    settings.setdefault("networks", {"generator": UNET, "discriminator": PATCHGAN})
    made = recipe(**settings)
    spec = recipe_spec(made, data or spec_of(1, 16))
    game = build_game(made, spec)
    assert isinstance(game, Pix2PixHD)
    return game, spec


def maps_and_photos(count: int = 4) -> Rows:
    """Modelled rows: one-hot maps, and photos that follow from them."""
    torch.manual_seed(1)
    stored = torch.randint(0, 3, (count, 1, 16, 16), dtype=torch.uint8)
    colours = torch.tensor([[-1.0, 0.0, 1.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    return Rows(
        {"image": colours[stored[:, 0].long()].permute(0, 3, 1, 2).contiguous(), "source": LABELS.to_model(stored)}
    )


def built_networks(game: Game) -> dict[str, torch.nn.Module]:
    return dict(game.named_children())


def outputs(game: Pix2PixHD, batch: Rows) -> tuple[Tensor, list[list[Tensor]], list[list[Tensor]]]:
    source, truth = batch["source"], batch["image"]
    made = game.generator(source)
    return made, game.discriminator.pyramid(source, made), game.discriminator.pyramid(source, truth)


def test_losses_of_pix2pixhd_are_those_of_its_authors() -> None:
    """Squared errors added over sizes, halved for the discriminators; 10 x the mean over sizes of matched layers."""
    game, spec = built()
    batch = random_batch(spec)
    _, fake, real = outputs(game, batch)
    terms = game.losses("generator", batch, 0).losses
    squares = [(maps[-1] - 1).square().mean() for maps in fake]
    torch.testing.assert_close(terms["loss"], squares[0] + squares[1])
    # Two layers here, four in the paper: weight 4 / 2 on each.
    layers = [
        F.l1_loss(ours, theirs)
        for one, two in zip(fake, real, strict=True)
        for ours, theirs in zip(one[:-1], two[:-1], strict=True)
    ]
    torch.testing.assert_close(terms["features"], 10 * (4 / 2) * torch.stack(layers).sum() / 2)
    turn = game.losses("discriminator", batch, 0)
    expected = [
        0.5 * ((two[-1] - 1).square().mean() + one[-1].square().mean()) for one, two in zip(fake, real, strict=True)
    ]
    torch.testing.assert_close(turn.total, expected[0] + expected[1])
    assert not any(value.requires_grad for value in turn.logs.values())


def test_losses_of_spade_are_those_of_its_authors() -> None:
    """The hinge loss as a mean over sizes."""
    game, _ = built(MAPS, game={"kind": "spade"}, networks={"generator": SPADE, "discriminator": PATCHGAN})
    batch = maps_and_photos()
    _, fake, real = outputs(game.eval(), batch)  # eval: a turn in training would move the spectral norms
    terms = game.losses("generator", batch, 0).losses
    torch.testing.assert_close(terms["loss"], -torch.stack([maps[-1].mean() for maps in fake]).mean())
    hinge = [F.relu(1 - two[-1]).mean() + F.relu(1 + one[-1]).mean() for one, two in zip(fake, real, strict=True)]
    torch.testing.assert_close(game.losses("discriminator", batch, 0).total, torch.stack(hinge).mean())


def test_no_gradient_flows_to_the_truth() -> None:
    ours, theirs = torch.randn(2, 3, 4, 4, requires_grad=True), torch.randn(2, 3, 4, 4, requires_grad=True)
    torch.autograd.backward(feature_matching([([ours], [theirs])]))
    assert ours.grad is not None
    assert theirs.grad is None
    torch.testing.assert_close(feature_matching([([ours], [theirs])]), 4 * F.l1_loss(ours, theirs))


@pytest.mark.parametrize("loss", ADVERSARIAL)
def test_each_player_moves_its_own_network_only(loss: str) -> None:
    game, spec = built(game={"kind": "pix2pixhd", "loss": loss})
    optimizers, batch = optimizers_of(game), random_batch(spec)
    for player, other in (("generator", "discriminator"), ("discriminator", "generator")):
        before = {name: snapshot(network) for name, network in game.named_children()}
        torch.autograd.backward(
            game.losses(player, batch, 0).total, inputs=list(game.get_submodule(player).parameters())
        )
        optimizers[player].step()
        still = set(before[player]) - set(moved(game.get_submodule(player), before[player]))
        assert not [key for key in still if before[player][key].numel() > 1]
        assert not moved(game.get_submodule(other), before[other])


def test_discriminators_see_the_outputs_that_the_generator_was_trained_on() -> None:
    game, spec = built()
    passes, batch = list[int](), random_batch(spec)
    game.generator.register_forward_hook(lambda *_: passes.append(1))
    for player, expected in (("generator", 1), ("discriminator", 1), ("discriminator", 2)):
        game.losses(player, batch, 0)
        assert len(passes) == expected


@pytest.mark.parametrize(
    "networks",
    [
        {"generator": SPADE, "discriminator": PATCHGAN | {"spectral": True}},
        {"generator": UNET, "discriminator": PATCHGAN},
        {"generator": {"kind": "resnet-translator", "width": 4, "blocks": 1}, "discriminator": PATCHGAN},
    ],
)
def test_label_maps_become_photos(networks: dict[str, Any]) -> None:
    """A step moves all weights, and the figure shows maps in the colours of their classes."""
    game, _ = built(MAPS, game={"kind": "spade"}, networks=networks)
    batch, before = maps_and_photos(), {name: snapshot(network) for name, network in built_networks(game).items()}
    run_step(game, batch, 0, optimizers_of(game))
    for name, network in built_networks(game).items():
        still = set(before[name]) - set(moved(network, before[name]))
        assert not [key for key in still if key.endswith("weight")]
    figure = game.eval().figures(batch, batch)["translations"]
    shown = (figure.modelled[:4] * 127.5 + 127.5).round().to(torch.uint8)
    palette = torch.tensor(LABELS.labels.palette(), dtype=torch.uint8)
    expected = palette[LABELS.to_storage(batch["source"])[:, 0].long()].permute(0, 3, 1, 2)
    assert torch.equal(shown, expected)


def test_pix2pix_and_regression_take_label_maps_too() -> None:
    for kind, networks in (
        ("pix2pix", {"generator": UNET, "discriminator": {"kind": "patchgan", "width": 4, "layers": 1}}),
        ("regression", {"generator": UNET}),
    ):
        made = recipe(
            game={"kind": kind}, networks=networks, optimizers={name: {"lr": 1e-3} for name in networks}, derived={}
        )
        game = build_game(made, recipe_spec(made, MAPS))
        run_step(game, maps_and_photos(), 0, optimizers_of(game))
        assert game.generate(maps_and_photos().only(("source",)))["image"].shape == (4, 3, 16, 16)


@pytest.mark.parametrize("networks", [{"generator": SPADE, "discriminator": PATCHGAN}])
def test_samples_do_not_depend_on_the_batch(networks: dict[str, Any]) -> None:
    """As evaluated and served, in this order and in another: at most one grey level of rounding."""
    game, spec = built(MAPS, game={"kind": "spade"}, networks=networks)
    run_step(game, maps_and_photos(), 0, optimizers_of(game))
    stored = Rows(
        {
            "source": torch.randint(0, 3, (9, 1, 16, 16), dtype=torch.uint8),
            "image": torch.zeros(9, 3, 16, 16, dtype=torch.uint8),
        }
    )
    order = torch.randperm(9)

    def made(rows: Rows, size: int) -> Tensor:
        held_out = HeldOut(rows, spec)
        return torch.cat([batch.outputs["image"] for batch in sample(game, 9, 3, held_out=held_out, batch_size=size)])

    whole = made(stored, 9)
    assert (whole.int() - made(stored, 1).int()).abs().max() <= 1
    assert (whole[order].int() - made(stored.select(order), 4).int()).abs().max() <= 1


def test_spade_starts_from_label_maps() -> None:
    with pytest.raises(SettingsError) as caught:
        built(game={"kind": "spade"}, networks={"generator": SPADE, "discriminator": PATCHGAN})
    assert caught.value.code == "missing-field"


def test_a_single_discriminator_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        built(networks={"generator": UNET, "discriminator": {"kind": "patchgan", "width": 4, "layers": 1}})
    assert caught.value.code == "wrong-network"
