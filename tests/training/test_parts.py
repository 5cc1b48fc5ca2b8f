"""The small parts of training: schedules, the moving average, the plan, curves as a file, the lock."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_training import SPEC, shrunk

from ganops.errors import TrainingError
from ganops.games.build import build_game
from ganops.params import TrainParams
from ganops.recipe import EmaSettings, OptimizerSettings
from ganops.training.ema import EMA
from ganops.training.hardware import choose_hardware
from ganops.training.history import Curves, write_history
from ganops.training.lock import exclusive
from ganops.training.optimizers import rate_factor
from ganops.training.plan import make_plan
from ganops.training.randomness import seed_all


@pytest.mark.parametrize(
    ("schedule", "kimg", "factor"),
    [("constant", 5, 1.0), ("linear", 5, 0.5), ("linear", 10, 0.0), ("cosine", 5, 0.5), ("cosine", 10, 0.0)],
)
def test_rate_over_time(schedule: str, kimg: float, factor: float) -> None:
    settings = OptimizerSettings.model_validate({"lr": 1.0, "schedule": schedule})
    assert rate_factor(settings, kimg, 10) == pytest.approx(factor, abs=1e-12)


def test_warm_up_rises_from_nothing() -> None:
    settings = OptimizerSettings(lr=1.0, warmup_kimg=4)
    assert [rate_factor(settings, kimg, 10) for kimg in (0, 1, 4, 8)] == [0.0, 0.25, 1.0, 1.0]


def test_half_of_a_weight_is_forgotten_after_the_half_life() -> None:
    game = build_game(shrunk("mlp"), SPEC)
    average = EMA(game, EmaSettings(half_life_kimg=1, rampup=1e9))
    with torch.no_grad():
        for tensor in average.game.generator.parameters():
            tensor.fill_(1.0)
        for tensor in game.generator.parameters():
            tensor.fill_(0.0)
    for round_ in range(1, 11):
        average.update(images_shown=round_ * 100, images_per_step=100)
    left = next(average.game.generator.parameters())
    # Ten float32 multiplications: some 1e-7 each.
    assert torch.allclose(left, torch.full_like(left, 0.5), atol=1e-6)


def test_the_plan_counts_every_turn_of_the_first_player_and_samples_first_and_last() -> None:
    plan = make_plan(shrunk("wgan-gp", kimg=0.96), TrainParams(sample_times=4), "discriminator")
    assert plan.images_per_step == 16 * 3
    assert plan.steps == 20
    assert plan.sample_at == {0, 5, 10, 15, 20}
    assert plan.kimg(plan.steps) == pytest.approx(0.96)


@pytest.mark.parametrize(
    ("validate_kimg", "expected"),
    [(1e9, {800}), (8, {400, 800}), (5, {266, 534, 800}), (1e-9, set(range(2, 801, 2)))],
)
def test_scores_fall_on_rows_of_curves_and_on_the_last_round(validate_kimg: float, expected: set[int]) -> None:
    """800 rounds of 16 images, a row of curves after every other one; scores are spread evenly."""
    plan = make_plan(shrunk("dcgan", kimg=12.8), TrainParams(validate_kimg=validate_kimg), "discriminator")
    assert (plan.steps, plan.row_every) == (800, 2)
    assert plan.validate_at == expected


def test_curves_are_means_since_the_last_row() -> None:
    curves = Curves()
    for value in (1.0, 2.0, 6.0):
        curves.add({"loss": torch.tensor(value)})
    curves.add({"sometimes": torch.tensor(4.0)})
    assert curves.take() == {"loss": 3.0, "sometimes": 4.0}
    assert curves.take() == {}


def test_history_has_an_empty_cell_for_a_missing_value_and_says_nan(tmp_path: Path) -> None:
    rows = [{"step": 1.0, "kimg": 0.5, "b": 0.1}, {"step": 2.0, "kimg": 1.0, "a": float("nan"), "b": 1 / 3}]
    write_history(tmp_path / "history.csv", rows)
    assert (tmp_path / "history.csv").read_text() == "step,kimg,a,b\n1,0.5,,0.1\n2,1,nan,0.333333333\n"


def test_random_numbers_depend_on_the_place_alone() -> None:
    seed_all(1, 2, 3)
    first = torch.randn(4)
    seed_all(1, 2, 4)
    second = torch.randn(4)
    seed_all(1, 2, 3)
    assert torch.equal(torch.randn(4), first)
    assert not torch.equal(first, second)


def test_a_second_training_waits_and_then_says_who_holds_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "key"
    with exclusive(folder), pytest.raises(TrainingError, match=r"process [0-9]+ holds"), exclusive(folder, 0.3):
        pass
    with exclusive(folder, 0.0):
        pass  # free again


def test_cuda_that_is_not_there_is_refused_by_name() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(TrainingError, match="no CUDA device"):
        choose_hardware(TrainParams(device="cuda"), 10)


def test_auto_takes_what_is_there() -> None:
    hardware = choose_hardware(TrainParams(precision="float32", compile="never"), 10)
    assert hardware.precision_name == "float32"
    assert not hardware.compiled
