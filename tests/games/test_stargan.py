"""StarGAN: the objective of its paper, what the model is asked, and its networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playing import DIGITS, moved, optimizers_of, random_batch, recipe, snapshot, spec_of

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.sampling import HeldOut, sample
from ganops.games.stargan import StarGAN
from ganops.networks.stargan import (
    StarganDiscriminator,
    StarganDiscriminatorSettings,
    StarganTranslator,
    StarganTranslatorSettings,
)

NETWORKS: dict[str, Any] = {
    "generator": {"kind": "stargan-translator", "width": 4, "halvings": 1, "blocks": 1, "outer_kernel": 3},
    "discriminator": {"kind": "stargan-discriminator", "width": 4, "layers": 2},
}


def built(data: DataSpec | None = None, **changes: Any) -> tuple[StarGAN, DataSpec]:
    """The game, and what its batches are."""
    torch.manual_seed(0)
    made = recipe(**({"game": {"kind": "stargan"}, "networks": NETWORKS} | changes))
    spec = recipe_spec(made, data or spec_of(1, 16, DIGITS))
    game = build_game(made, spec)
    assert isinstance(game, StarGAN)
    return game, spec


def wanted(labels: torch.Tensor, seed: int) -> torch.Tensor:
    """The classes that a turn which starts with this seed asks for."""
    torch.manual_seed(seed)
    return labels[torch.rand(len(labels)).argsort()]


def test_the_generator_minimises_the_objective_of_the_paper() -> None:
    """-D(G(x, c)) + cross entropy of c + 10 x L1 of the way back (equations 3, 4 and 6)."""
    game, spec = built()
    batch = random_batch(spec, 8)
    asked = wanted(batch["label"], 3)
    assert sorted(asked.tolist()) == sorted(batch["label"].tolist())
    fake = game.generator(batch["image"], asked)
    logits, classes = game.discriminator.judge(fake)
    back = game.generator(fake, batch["label"])
    expected = -logits.mean() + F.cross_entropy(classes, asked) + 10 * F.l1_loss(back, batch["image"])
    torch.manual_seed(3)
    torch.testing.assert_close(game.losses("generator", batch, 0).total, expected)


def test_the_critic_minimises_the_objective_of_the_paper() -> None:
    """D(G(x, c)) - D(x) + cross entropy of real classes + 10 x (|gradient| - 1)^2 (equations 2, 5 and 8)."""
    game, spec = built()
    batch = random_batch(spec, 8)
    fake = game.generator(batch["image"], wanted(batch["label"], 3)).detach()
    share = torch.rand(8, 1, 1, 1)
    between = (share * batch["image"] + (1 - share) * fake).requires_grad_()
    (gradients,) = torch.autograd.grad(game.discriminator.judge(between)[0].sum(), between)
    penalty = (gradients.flatten(1).norm(dim=1) - 1).square().mean()
    (real, classes), (made, _) = game.discriminator.judge(batch["image"]), game.discriminator.judge(fake)
    expected = made.mean() - real.mean() + F.cross_entropy(classes, batch["label"]) + 10 * penalty
    torch.manual_seed(3)
    torch.testing.assert_close(game.losses("discriminator", batch, 0).total, expected)


def test_each_player_moves_its_own_network() -> None:
    game, spec = built()
    optimizers, batch = optimizers_of(game), random_batch(spec)
    for player in ("discriminator", "generator"):
        before = {name: snapshot(network) for name, network in game.named_children()}
        torch.autograd.backward(
            game.losses(player, batch, 0).total, inputs=list(game.get_submodule(player).parameters())
        )
        optimizers[player].step()
        assert [name for name, network in game.named_children() if moved(network, before[name])] == [player]


def test_the_model_is_asked_for_images_of_test_rows_as_classes_by_their_shares() -> None:
    game, spec = built()
    rows = Rows(
        {
            "image": torch.randint(0, 256, (6, 1, 16, 16), dtype=torch.uint8),
            "label": torch.zeros(6, dtype=torch.long),
        }
    )
    (found,) = sample(game, 6, 0, held_out=HeldOut(rows, spec))
    assert found.inputs is not None
    assert torch.equal(found.inputs["image"], rows["image"])
    assert found.classes is not None
    assert sorted(found.classes[:4].tolist()) == [0, 1, 2, 3]
    modelled = Rows({"image": spec.fields["image"].to_model(rows["image"]), "label": found.classes})
    with torch.no_grad():
        expected = spec.fields["image"].to_storage(game.generate(modelled)["image"])
    assert torch.equal(found.outputs["image"], expected)


def test_the_label_reaches_the_output() -> None:
    """Constant maps would be taken away by the norms if borders were mirrored."""
    game, spec = built()
    images = random_batch(spec)["image"]
    made = [game.generator(images, torch.full((4,), label)) for label in (0, 1)]
    assert (made[0] - made[1]).abs().mean() > 0.01


@pytest.mark.parametrize(
    ("network", "settings", "millions"),
    [
        (StarganTranslator, StarganTranslatorSettings(), 8.431),
        (StarganDiscriminator, StarganDiscriminatorSettings(), 44.762),
    ],
)
def test_the_networks_have_as_many_weights_as_the_authors(network: Any, settings: Any, millions: float) -> None:
    """Counted by hand from the authors' model.py for five attributes of colour images of 128 pixels."""
    with torch.device("meta"):
        made = network(settings, spec_of(3, 128, tuple("abcde")))
    assert sum(parameter.numel() for parameter in made.parameters()) / 1e6 == pytest.approx(millions, abs=5e-4)


@pytest.mark.parametrize(
    ("data", "changes", "code"),
    [
        (spec_of(1, 16), {}, "no-classes"),
        (spec_of(1, 15, DIGITS), {}, "image-size"),
        (None, {"networks__discriminator": {"kind": "stargan-discriminator", "layers": 5}}, "image-size"),
    ],
)
def test_what_does_not_fit_is_an_error(data: DataSpec | None, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(data, **{"game": {"kind": "stargan"}, "networks": NETWORKS} | changes)
    assert caught.value.code == code
