"""CUT: the contrastive loss by hand, both directions, what FastCUT adds, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playing import PATCHGAN, TRANSLATOR, domains_spec, moved, optimizers_of, random_batch, recipe, snapshot

from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.cut import CUT
from ganops.networks.patch_projection import random_places
from ganops.objectives.contrastive import patch_nce

PLAYERS = ("discriminator", "generator")
GAME = {"kind": "cut", "patches": 6, "projection": 5}


def built(data: DataSpec | None = None, **game: Any) -> tuple[CUT, DataSpec]:
    """The game, and what its batches are."""
    torch.manual_seed(0)
    source, target = reversed("AB") if game.get("direction") == "BtoA" else "AB"
    networks = {
        "generator": TRANSLATOR | {"source": source, "target": target},
        "discriminator": PATCHGAN | {"target": target},
    }
    made = recipe(game=GAME | game, networks=networks).model_copy(
        update={"optimizers": {name: recipe().optimizers["generator"] for name in PLAYERS}}
    )
    spec = recipe_spec(made, data or domains_spec(1, 16))
    found = build_game(made, spec)
    assert isinstance(found, CUT)
    return found, spec


def contrast_by_hand(game: CUT, source: torch.Tensor, output: torch.Tensor, mirrored: bool) -> torch.Tensor:
    """The mean over all layers of the contrast of all places; an output's features are mirrored back."""
    found = []
    layers = [[images, *game.generator.encode(images)] for images in (source, output)]
    for head, keys, queries in zip(game.projection.heads, *layers, strict=True):
        back = queries.flip(3) if mirrored else queries
        key, query = (F.normalize(head(maps.flatten(2).transpose(1, 2)), dim=2) for maps in (keys, back))
        places = torch.arange(key.shape[1]).expand(len(key), -1)
        found.append(F.cross_entropy(key @ query.transpose(1, 2) / 0.07, places))  # keys are the classes
    return torch.stack(found).mean()


def test_the_contrast_of_two_places_by_hand() -> None:
    """Equation 3 with cosines 1 and 0 at temperature 1/2: the own key against one other."""
    queries = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    own = torch.exp(torch.tensor(2.0))
    expected = -torch.log(own / (own + 1))
    torch.testing.assert_close(patch_nce(queries, queries, 0.5), expected)


def test_negatives_come_from_the_same_image_and_keys_learn_nothing() -> None:
    torch.manual_seed(0)
    queries = F.normalize(torch.randn(3, 5, 4), dim=2).requires_grad_()
    keys = F.normalize(torch.randn(3, 5, 4), dim=2).requires_grad_()
    together = patch_nce(queries, keys, 0.07)
    apart = torch.stack([patch_nce(query[None], key[None], 0.07) for query, key in zip(queries, keys, strict=True)])
    torch.testing.assert_close(together, apart.mean())
    torch.autograd.backward(together)
    assert keys.grad is None
    assert queries.grad is not None


def test_places_are_different_and_no_more_than_there_are() -> None:
    few, all_of_them = random_places([torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 2, 2)], 10)
    assert len(set(few.tolist())) == 10
    assert sorted(all_of_them.tolist()) == [0, 1, 2, 3]


def test_the_generator_minimises_the_objective_of_the_authors() -> None:
    """Squared errors to 1, and the mean of the contrast of translations and of identities, over all layers."""
    game, spec = built(patches=1000)
    batch = random_batch(spec)
    game.losses("discriminator", batch, 0)
    terms = game.losses("generator", batch, 0).losses
    fake, identity = game.generator(batch["A"]), game.generator(batch["B"])
    logits = game.discriminator(None, fake)
    torch.testing.assert_close(terms["loss"], F.mse_loss(logits, torch.ones_like(logits)))
    contrasts = [contrast_by_hand(game, batch[name], made, False) for name, made in (("A", fake), ("B", identity))]
    # All places in another order: float32 sums of up to 256 terms.
    torch.testing.assert_close(terms["nce"], torch.stack(contrasts).mean(), rtol=1e-4, atol=1e-5)


def test_the_discriminator_minimises_half_the_squared_errors() -> None:
    game, spec = built()
    batch = random_batch(spec)
    real, fake = game.discriminator(None, batch["B"]), game.discriminator(None, game.generator(batch["A"]))
    expected = 0.5 * (F.mse_loss(real, torch.ones_like(real)) + F.mse_loss(fake, torch.zeros_like(fake)))
    torch.testing.assert_close(game.losses("discriminator", batch, 0).losses["loss"], expected)


@pytest.mark.parametrize("fast", [False, True])
def test_each_player_moves_its_own_networks(fast: bool) -> None:
    game, spec = built(nce_identity=not fast, flip_equivariance=fast, nce_weight=10.0 if fast else 1.0)
    optimizers, batch = optimizers_of(game), random_batch(spec)
    for player, names in game.players.items():
        before = {name: snapshot(network) for name, network in game.named_children()}
        parameters = [parameter for name in names for parameter in game.get_submodule(name).parameters()]
        torch.autograd.backward(game.losses(player, batch, 0).total, inputs=parameters)
        optimizers[player].step()
        changed = {name for name, network in game.named_children() if moved(network, before[name])}
        assert changed == set(names)


def test_half_of_the_batches_are_mirrored_and_their_features_mirrored_back() -> None:
    game, spec = built(nce_identity=False, flip_equivariance=True, patches=1000)
    batch, seen = random_batch(spec), set()
    with torch.no_grad():
        for seed in range(6):
            torch.manual_seed(seed)
            found = game.losses("generator", batch, 0).losses["nce"]
            torch.manual_seed(seed)
            mirrored = bool(torch.rand(()) < 0.5)
            seen.add(mirrored)
            fake = game.generator(batch["A"].flip(3) if mirrored else batch["A"])
            expected = contrast_by_hand(game, batch["A"], fake, mirrored)
            # All places in another order: float32 sums of up to 256 terms.
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert seen == {True, False}


def test_the_way_back_is_a_task_of_the_other_name() -> None:
    game, spec = built(direction="BtoA")
    assert {name: (list(task.inputs), list(task.outputs)) for name, task in game.tasks.items()} == {
        "BtoA": (["B"], ["A"])
    }
    batch = random_batch(spec)
    torch.testing.assert_close(game.generate(Rows({"B": batch["B"]}))["A"], game.generator(batch["B"]))


@pytest.mark.parametrize(
    ("data", "game", "code"),
    [
        (domains_spec(1, 16).model_copy(update={"paired": True}), {}, "paired-data"),
        (None, {"loss": "relativistic"}, "no-pairs"),
        (None, {"layers": [0, 9]}, "unknown-layer"),
        (
            DataSpec(fields={"A": ImageField(channels=1, size=16), "B": ImageField(channels=3, size=16)}, paired=False),
            {"nce_identity": False},
            "other-fields",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(data: DataSpec | None, game: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(data, **game)
    assert caught.value.code == code
