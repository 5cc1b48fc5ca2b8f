"""Checks of translations: outputs that ignore their sources and outputs that are negatives are seen, others are not."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import torch
from tiny_training import DOMAINS, PAIRS, SPEC, digits, domains, make_trainer, pairs, run, shrunk
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.games.build import build_game, recipe_spec
from ganops.games.unpaired import UnpairedTranslation
from ganops.training.batches import TrainingData
from ganops.training.health import Health, Translations
from ganops.training.source_probe import correlation, source_probes

IMAGE = SPEC.fields["image"]
GOOD = Translations("AtoB", follows=0.9, correlation=0.5, real_correlation=0.4)


class Negative(nn.Module):
    """A translator that has learnt the negative."""

    def forward(self, images: Tensor) -> Tensor:
        return -images


class Constant(nn.Module):
    """A translator that gives one output for all sources."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:1] * 0 + torch.linspace(-1, 1, 8).expand_as(images)


def probes_of(to_b: nn.Module, rows: list[Rows]) -> list[Translations]:
    """What the probes of both directions find where A is translated by `to_b` and B stays as it is."""
    game = cast(UnpairedTranslation, build_game(shrunk("cyclegan"), DOMAINS))
    game.a_to_b, game.b_to_a = to_b, nn.Identity()
    data = TrainingData(tuple(rows), DOMAINS.fields, DOMAINS)
    return [probe.ask(game, torch.device("cpu")) for probe in source_probes(game, data, 0)]


def two_of_digits() -> list[Rows]:
    """Domains that look alike."""
    a, b = domains()
    return [a, Rows({"B": 255 - b["B"], "B_label": b["B_label"]})]


def health_after(found: list[Translations], times: int = 2, step: int = 500) -> list[str]:
    """The problems of a training of 1000 steps that finds this so often."""
    health = Health(IMAGE, 0.5, steps=1000)
    for number in range(times):
        health.see_translations(step + number, found)
    return [event.kind for event in health.events]


def test_outputs_that_follow_their_sources_raise_nothing() -> None:
    found = probes_of(nn.Identity(), two_of_digits())
    assert [each.task for each in found] == ["AtoB", "BtoA"]
    assert all(each.follows > 0.8 and each.correlation > 0.99 for each in found)
    assert health_after(found, times=5) == []


def test_a_direction_that_ignores_its_sources_is_seen() -> None:
    forth, back = probes_of(Constant(), two_of_digits())
    assert forth.follows == 0
    assert back.follows > 0.8
    assert health_after([back, forth]) == ["source-ignored"]
    assert health_after([forth], times=1) == []
    assert health_after([forth], step=10) == [], "before the warm-up outputs may still be alike"


def test_negatives_are_seen_from_the_start() -> None:
    forth, back = probes_of(Negative(), two_of_digits())
    assert forth.correlation == pytest.approx(-1, abs=1e-5)
    assert forth.real_correlation > 0.5
    assert health_after([forth, back], step=1) == ["colours-inverted"]
    assert health_after([forth], times=1, step=1) == []


def test_negatives_are_right_where_the_domains_are_negatives() -> None:
    """Digits, and digits dark on light: the mean images of both sides say so."""
    forth, _ = probes_of(Negative(), domains())
    assert forth.real_correlation < -0.5
    assert health_after([forth], times=5) == []


def test_of_pairs_the_truth_says_what_is_usual() -> None:
    game = build_game(shrunk("pix2pix"), PAIRS)
    (probe,) = source_probes(game, TrainingData((pairs(),), PAIRS.fields, PAIRS), 0)
    assert probe.real_correlation == pytest.approx(-1, abs=1e-5)
    assert (probe.task, probe.source, probe.output) == ("translate", "source", "image")


def test_sources_that_are_derived_are_computed_as_for_samples() -> None:
    recipe = shrunk("denoise")
    spec = recipe_spec(recipe, SPEC)
    game = build_game(recipe, spec)
    probes = [source_probes(game, TrainingData((digits(),), SPEC.fields, spec), 0)[0] for _ in range(2)]
    assert torch.equal(probes[0].sources, probes[1].sources)
    assert 0.3 < probes[0].real_correlation < 0.99


def test_a_task_without_images_as_inputs_has_no_probe() -> None:
    assert source_probes(build_game(shrunk("dcgan"), SPEC), TrainingData((digits(),), SPEC.fields, SPEC), 0) == []


def test_a_problem_says_what_to_do_and_ends_by_itself() -> None:
    health = Health(IMAGE, 0.5, steps=1000)
    ignored = Translations("AtoB", follows=0.01, correlation=0.0, real_correlation=0.4)
    for step in (500, 510):
        health.see_translations(step, [ignored])
    (event,) = health.events
    assert "AtoB: 1.0%" in event.detail
    assert "cycle_weight" in event.action
    again = Health(IMAGE, 0.5, steps=1000)
    again.load(health.state())
    assert again.events == [event]
    assert again.active == {"source-ignored"}
    again.see_translations(520, [GOOD])
    assert again.active == set()


def test_a_training_asks_its_probes(tmp_path: Path) -> None:
    """Both directions, at the start and at each of four samplings."""
    trainer = make_trainer(tmp_path, shrunk("cyclegan", kimg=0.32), sample_times=4, checkpoint_seconds=1e9)
    asked: list[int] = []
    trainer.health.see_translations = lambda step, found: asked.append(len(found))
    run(trainer)
    assert asked == [2] * 5


def test_correlation_by_hand() -> None:
    images = torch.tensor([[0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    assert correlation(images[:1], images[:1]) == pytest.approx(1)
    assert correlation(images[:1], 5 - images[:1]) == pytest.approx(-1)
    assert correlation(images[1:], images[:1]) == pytest.approx(0)
