"""Paired tasks: PSNR and SSIM per pair, baselines, and rows that final scores and validation metrics do not share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scoring import IMAGE16, write_data

from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.baselines import baselines_of
from ganops.evaluation.evaluate import open_evaluator, score_game
from ganops.evaluation.evaluator import Evaluator
from ganops.evaluation.held_out import VALIDATION_EVERY, held_out, task_rows
from ganops.evaluation.reference import make_reference
from ganops.evaluation.rows import baseline_rows
from ganops.evaluation.similarity import psnr, ssim
from ganops.evaluation.validation_metric import ValidationMetric, load_validation_metric
from ganops.games.game import Game, Losses
from ganops.games.task import Task
from ganops.params import EvaluateParams

PARAMS = EvaluateParams(samples=500, metrics={"pairs": {}})


class Brighter(Game):
    """Translates a dark picture to a bright one by a factor, which is what there would be to learn."""

    default_metric = "psnr"

    def __init__(self, factor: float, field: Field = IMAGE16) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(factor))
        self.players, self.ema_networks = {"it": ("factor",)}, ("factor",)
        self.tasks = {"translate": Task({"image": field}, {"source": field}, paired=True)}

    def losses(self, player: str, batch: Rows, step: int, micro_batch: int = 0) -> Losses:
        raise NotImplementedError("it does not learn")

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """Brighter pictures."""
        return Rows({"image": (inputs["source"] + 1) * self.factor - 1})


@pytest.fixture(scope="module")
def pairs(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, and the same at half the brightness: 20 for training, 60 for testing."""
    folder = tmp_path_factory.mktemp("pairs")
    images = read_packed(prepared, "train")["image"][:80]
    rows = Rows({"image": images, "source": images // 2})
    fields = {"image": IMAGE16, "source": IMAGE16}
    write_data(folder / "data", fields, rows.select(slice(0, 20)), rows.select(slice(20, None)))
    make_reference(folder / "data", PARAMS, folder / "reference", seed=0)
    return folder


@pytest.fixture(scope="module")
def paired(pairs: Path) -> Evaluator:
    return open_evaluator(pairs / "reference", pairs / "data", PARAMS, seed=0)


SPEC = DataSpec(fields={"image": IMAGE16, "source": IMAGE16})


def test_scores_are_means_over_the_test_pairs(paired: Evaluator, pairs: Path) -> None:
    test = read_packed(pairs / "data", "test")
    test = test.select(torch.arange(60)[torch.arange(60) % VALIDATION_EVERY != 0])
    found = score_game(Brighter(1.5), paired, SPEC)
    modelled = (IMAGE16.to_model(test["source"]) + 1) * 1.5 - 1
    expected = [metric(IMAGE16.to_storage(modelled), test["image"]) for metric in (psnr, ssim)]
    for key, values in zip(("psnr", "ssim"), expected, strict=True):
        assert found.scores[key].value == pytest.approx(float(values.mean()), rel=1e-6)
        assert found.scores[key].error == pytest.approx(float(values.std()) / 48**0.5, rel=1e-6)
    assert found.scores.protocol.shared["generated"] == 48  # each input once
    section = found.scores.protocol.groups["pairs"]
    assert (section["colours"], section["size"], section["inputs"]) == ("grey", [16, 16], {"source": "image"})


def test_the_first_the_worst_and_the_best_pairs_are_drawn(paired: Evaluator) -> None:
    pictures = score_game(Brighter(1.5), paired, SPEC).pictures
    assert list(pictures) == ["pairs", "pairs-worst", "pairs-best"]
    assert "source, output, truth" in pictures["pairs"].caption
    # 15 pairs in rows of three, each of four pictures of 64 pixels, with gaps of two.
    assert pictures["pairs"].image.size == (2 + 12 * 66, 2 + 5 * 66)
    black = np.asarray(score_game(Brighter(2.0), paired, SPEC).pictures["pairs-best"].image)[2:66, 2 + 3 * 66 : -2][
        :, :64
    ]
    assert black.max() <= 1  # the difference of a perfect output from its truth


def test_a_perfect_translation_is_the_best_there_is(paired: Evaluator) -> None:
    exact, none = score_game(Brighter(2.0), paired, SPEC).scores, score_game(Brighter(1.0), paired, SPEC).scores
    assert exact["psnr"].value > 48  # half a level of rounding
    assert exact["ssim"].value > 0.99
    assert none["psnr"].value < 20


def test_identity_is_a_baseline_where_fields_are_equal(paired: Evaluator, pairs: Path) -> None:
    game = Brighter(1.0)
    rows = task_rows(game.task, pairs / "data", SPEC, 500)
    (row,) = baseline_rows(paired, game.task, SPEC, rows)
    assert row.name == "identity"
    assert dict(row.scores) == pytest.approx(dict(score_game(game, paired, SPEC).scores))
    small = ImageField(channels=1, size=8)
    assert set(baselines_of(Task({"image": IMAGE16}, {"low": small}, paired=True))) == {"bicubic"}
    assert not baselines_of(Task({"image": IMAGE16}, {}, {"z": VectorField(size=3)}))


def test_validation_and_final_scores_have_rows_of_their_own(pairs: Path) -> None:
    game = Brighter(1.5)
    found = load_validation_metric(game, SPEC, pairs / "reference", pairs / "data", samples=500, seed=0, batch_size=7)
    assert isinstance(found, ValidationMetric)
    assert (found.name, found.better, found.samples) == ("val/psnr", "higher", 12)
    test = read_packed(pairs / "data", "test")["source"]
    rows = {purpose: held_out(pairs / "data", SPEC, purpose).rows["source"] for purpose in ("validation", "evaluation")}
    assert torch.equal(rows["validation"], test[::5])
    assert len(rows["evaluation"]) + len(rows["validation"]) == 60
    assert found(Brighter(2.0)) > found(game)


def test_a_model_of_another_size_is_compared_at_its_own(paired: Evaluator) -> None:
    large = ImageField(channels=1, size=32)
    spec = DataSpec(fields={"image": large, "source": large})
    found = score_game(Brighter(2.0, large), paired, spec)
    assert found.scores.protocol.groups["pairs"]["size"] == [32, 32]
    assert found.scores["psnr"].value > 40
