"""CyCADA's term: which classes it asks for, when it counts, and that the classifier is a player of its own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playing import BOTH_DIRECTIONS, domains_spec, moved, optimizers_of, random_batch, recipe, run_step, snapshot

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.cyclegan import CycleGAN
from ganops.games.semantic import SemanticConsistency

CLASSES = ("0", "1", "2", "3")
PLAYERS = ("classifier", "generator", "discriminator")


def built(data: DataSpec | None = None, source: str = "A", **semantic: Any) -> tuple[CycleGAN, DataSpec]:
    """The game with a classifier, and what its batches are."""
    torch.manual_seed(0)
    classifier = {"kind": "image-classifier", "source": source, "labels": f"{source}_label", "width": 4}
    made = recipe(
        game={"kind": "cyclegan", "semantic": semantic}, networks=BOTH_DIRECTIONS | {"classifier": classifier}
    ).model_copy(update={"optimizers": {name: recipe().optimizers["generator"] for name in PLAYERS}})
    spec = recipe_spec(made, data or domains_spec(1, 16, CLASSES))
    game = build_game(made, spec)
    assert isinstance(game, CycleGAN)
    return game, spec


def semantic_of(game: CycleGAN) -> SemanticConsistency:
    assert game.semantic is not None
    return game.semantic


def test_the_classifier_learns_from_the_labels_of_the_labelled_domain_alone() -> None:
    game, spec = built()
    batch = random_batch(spec)
    loss = game.losses("classifier", batch, 0).total
    torch.testing.assert_close(loss, F.cross_entropy(game.classifier(batch["A"]), batch["A_label"]))
    assert float(semantic_of(game).classifier_loss) == pytest.approx(loss.item())
    both, _ = built(labelled=["A", "B"])
    expected = [F.cross_entropy(both.classifier(batch[name]), batch[f"{name}_label"]) for name in "AB"]
    torch.testing.assert_close(both.losses("classifier", batch, 0).total, torch.stack(expected).mean())


def test_translations_should_be_of_the_label_or_of_the_class_seen_in_their_source() -> None:
    """Equation 4 with f_S; the labels where there are some, as in the authors' code."""
    game, spec = built(weight=3)
    batch = random_batch(spec)
    semantic_of(game).classifier_loss.fill_(0.5)
    terms = game.losses("generator", batch, 0).losses
    seen = game.classifier(batch["B"]).argmax(dim=1)
    for name, translated, classes in (
        ("semantic_A", game.a_to_b(batch["A"]), batch["A_label"]),
        ("semantic_B", game.b_to_a(batch["B"]), seen),
    ):
        torch.testing.assert_close(terms[name], 3 * F.cross_entropy(game.classifier(translated), classes))


def test_the_term_waits_until_the_classifier_is_good_enough() -> None:
    game, spec = built(threshold=1.0)
    batch = random_batch(spec)
    for loss, counts in ((1.5, False), (0.9, True)):
        semantic_of(game).classifier_loss.fill_(loss)
        terms = game.losses("generator", batch, 0).losses
        assert (float(terms["semantic_A"].detach()) > 0) is counts
    fresh, _ = built(threshold=1.0)
    assert float(fresh.losses("generator", batch, 0).losses["semantic_A"].detach()) == 0


def test_every_player_moves_its_own_networks_and_the_gate_is_part_of_a_checkpoint() -> None:
    game, spec = built()
    batch, before = random_batch(spec), {}
    optimizers = optimizers_of(game)
    for player, names in game.players.items():
        before = {name: snapshot(network) for name, network in game.named_children()}
        parameters = [parameter for name in names for parameter in game.get_submodule(name).parameters()]
        torch.autograd.backward(game.losses(player, batch, 0).total, inputs=parameters)
        optimizers[player].step()
        assert {name for name, network in game.named_children() if moved(network, before[name])} == set(names)
    run_step(game, batch, 1, optimizers)
    other, _ = built()
    other.load_state_dict(game.state_dict())
    assert torch.equal(semantic_of(other).classifier_loss, semantic_of(game).classifier_loss)


@pytest.mark.parametrize(
    ("data", "source", "semantic", "code"),
    [
        (domains_spec(1, 16), "A", {}, "missing-field"),
        (None, "B", {"labelled": ["A"]}, "other-fields"),
        (
            DataSpec(
                fields={
                    **domains_spec(1, 16, CLASSES).fields,
                    "B_label": domains_spec(1, 16, ("x", "y")).fields["B_label"],
                },
                paired=False,
            ),
            "A",
            {"labelled": ["A", "B"]},
            "other-classes",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(data: DataSpec | None, source: str, semantic: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(data, source, **semantic)
    assert caught.value.code == code


def test_distortion_is_for_what_the_classifier_learns_from_and_not_for_what_it_asks() -> None:
    game, spec = built(distortion=0.3)
    batch = random_batch(spec)
    semantic_of(game).classifier_loss.fill_(0.5)
    asked = game.losses("generator", batch, 0).losses["semantic_A"]
    torch.testing.assert_close(asked, F.cross_entropy(game.classifier(game.a_to_b(batch["A"])), batch["A_label"]))
    plain = F.cross_entropy(game.classifier(batch["A"]), batch["A_label"])
    drawn = [game.losses("classifier", batch, 0).total for _ in range(2)]
    assert not torch.equal(drawn[0], plain)
    assert not torch.equal(drawn[0], drawn[1])
