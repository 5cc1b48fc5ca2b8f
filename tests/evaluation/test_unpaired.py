"""Scores of translations between domains: the way back, and the truth where test rows are known to be partners."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import torch
from playing import BOTH_DIRECTIONS, recipe
from torch import Tensor, nn

from ganops.data.manifest import read_manifest
from ganops.data.packed import read_domains
from ganops.data.prepare import prepare
from ganops.data.spec import DataSpec
from ganops.evaluation.baselines import baselines_of
from ganops.evaluation.evaluate import evaluate_game, open_evaluator
from ganops.evaluation.held_out import task_rows
from ganops.evaluation.reference import make_reference
from ganops.evaluation.rows import baseline_rows
from ganops.evaluation.similarity import psnr
from ganops.games.build import build_game
from ganops.games.cyclegan import CycleGAN
from ganops.games.sampling import sample
from ganops.params import DataParams, EvaluateParams

PARAMS = EvaluateParams(samples=500, metrics={"pairs": {}, "cycle": {}})


class Darker(nn.Module):
    """Halves what is above black."""

    def forward(self, images: Tensor) -> Tensor:
        return (images + 1) / 2 - 1


@pytest.fixture(scope="module")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Latin letters of two fonts as domains, with references of both."""
    folder = tmp_path_factory.mktemp("fonts")
    params = DataParams(source="glyphs-domains", image_size=16, channels=1, options={"alphabets": ["latin"]})
    prepare(params, folder / "data", raw=folder)
    for domain in "AB":
        make_reference(folder / "data" / domain, PARAMS, folder / "reference" / domain, seed=0)
    return folder


def game_of(spec: DataSpec) -> CycleGAN:
    """Translates by making darker, and back by doing nothing."""
    game = cast(CycleGAN, build_game(recipe(game={"kind": "cyclegan"}, networks=BOTH_DIRECTIONS), spec))
    game.a_to_b, game.b_to_a = Darker(), nn.Identity()
    return game


def test_domains_of_fonts_have_no_partners_in_training_and_all_in_the_test(fonts: Path) -> None:
    manifest = read_manifest(fonts / "data")
    train, test = (read_domains(fonts / "data", split, manifest.spec) for split in ("train", "test"))
    assert not set(train["A"]["A_character"].tolist()) & set(train["B"]["B_character"].tolist())
    assert sorted(test["A"]["A_character"].tolist()) == sorted(test["B"]["B_character"].tolist())


def test_the_true_output_of_a_test_row_is_its_partner(fonts: Path) -> None:
    spec = read_manifest(fonts / "data").spec
    task = game_of(spec).tasks["BtoA"]
    assert task.partner_column == "character"
    held = task_rows(task, fonts / "data", spec, 500)
    assert held is not None
    pictures = read_domains(fonts / "data", "test", spec)["A"]
    row_of = {key: row for row, key in enumerate(pictures["A_character"].tolist())}
    expected = pictures["A"][[row_of[key] for key in held.rows["B_character"].tolist()]]
    (found,) = sample(game_of(spec), len(held.rows), 0, task="BtoA", held_out=held)
    assert found.truth is not None
    assert torch.equal(found.truth["A"], expected)
    assert not torch.equal(found.truth["A"], held.rows["B"])


def test_scores_of_both_directions_against_the_truth_and_there_and_back(fonts: Path) -> None:
    spec = read_manifest(fonts / "data").spec
    scores = evaluate_game(game_of(spec), fonts / "reference", fonts / "data", PARAMS, 0).scores
    held = task_rows(game_of(spec).tasks["AtoB"], fonts / "data", spec, 500)
    assert held is not None
    sources, truth, field = held.rows["A"], held.rows["B"], spec.fields["A"]
    darker = field.to_storage(Darker()(field.to_model(sources)))
    assert scores["psnr"].value == pytest.approx(float(psnr(darker, truth).mean()), abs=1e-4)
    # Half of the brightness is lost on the way there: so much of the range; one rounding to grey levels.
    assert scores["cycle_error"].value == pytest.approx(float(sources.float().mean()) / 255 / 2, abs=1 / 255)
    assert scores["BtoA/cycle_error"].value == pytest.approx(float(held.rows["B"].float().mean()) / 255 / 2, abs=0.02)


def test_the_identity_is_measured_against_the_truth_and_has_no_way_back(fonts: Path) -> None:
    spec = read_manifest(fonts / "data").spec
    task = game_of(spec).tasks["AtoB"]
    evaluator = open_evaluator(fonts / "reference" / "B", fonts / "data" / "B", PARAMS, 0, inputs=fonts / "data")
    held = task_rows(task, fonts / "data", spec, 500)
    assert held is not None
    assert "identity" in baselines_of(task)
    row = next(each for each in baseline_rows(evaluator, task, spec, held) if each.name == "identity")
    assert row.scores["psnr"].value == pytest.approx(float(psnr(held.rows["A"], held.rows["B"]).mean()), abs=1e-4)
    assert "cycle_error" not in row.scores
