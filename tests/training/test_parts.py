"""The small parts of training: schedules, the moving average, the plan, curves as a file, the lock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tiny_training import SPEC, shrunk

from ganops.errors import SettingsError, TrainingError
from ganops.games.build import build_game
from ganops.params import TrainParams
from ganops.recipe import EmaSettings, OptimizerSettings
from ganops.training.ema import EMA
from ganops.training.hardware import choose_hardware
from ganops.training.history import Curves, write_history
from ganops.training.lock import exclusive, forget_others
from ganops.training.optimizers import betas_at, lr_factor, make_optimizer, may_be_captured, set_betas
from ganops.training.plan import make_plan
from ganops.training.randomness import seed_all


@pytest.mark.parametrize(
    ("schedule", "kimg", "factor"),
    [("constant", 5, 1.0), ("linear", 5, 0.5), ("linear", 10, 0.0), ("cosine", 5, 0.5), ("cosine", 10, 0.0)],
)
def test_learning_rate_over_time(schedule: str, kimg: float, factor: float) -> None:
    settings = OptimizerSettings.model_validate({"lr": 1.0, "schedule": schedule})
    assert lr_factor(settings, kimg, 10) == pytest.approx(factor, abs=1e-12)


def test_warm_up_rises_from_nothing() -> None:
    settings = OptimizerSettings(lr=1.0, warmup_kimg=4)
    assert [lr_factor(settings, kimg, 10) for kimg in (0, 1, 4, 8)] == [0.0, 0.25, 1.0, 1.0]


@pytest.mark.parametrize(
    ("keys", "at"),
    [
        ({"schedule": "cosine", "last_lr": 0.25, "schedule_kimg": 4}, {0: 1.0, 2: 0.625, 4: 0.25, 10: 0.25}),
        ({"schedule": "linear", "hold_kimg": 6}, {0: 1.0, 6: 1.0, 8: 0.5, 10: 0.0}),
        ({"schedule": "linear", "hold_kimg": 20}, {0: 1.0, 10: 1.0}),
        ({"schedule": "steps", "drops": [3, 6], "drop": 0.5}, {0: 1.0, 2.9: 1.0, 3: 0.5, 6: 0.25}),
    ],
)
def test_learning_rates_hold_drop_and_end_above_zero(keys: dict[str, Any], at: dict[float, float]) -> None:
    settings = OptimizerSettings.model_validate({"lr": 1.0, **keys})
    assert [lr_factor(settings, kimg, 10) for kimg in at] == pytest.approx(list(at.values()))
    assert OptimizerSettings.model_validate(settings.model_dump()) == settings


def test_betas_follow_the_schedule_and_the_optimiser_is_given_them() -> None:
    keys = {"lr": 1.0, "betas": [0.0, 0.9], "last_betas": [0.0, 0.99], "schedule": "cosine", "schedule_kimg": 4}
    settings = OptimizerSettings.model_validate(keys)
    assert [betas_at(settings, kimg, 10)[1] for kimg in (0, 2, 4, 9)] == pytest.approx([0.9, 0.945, 0.99, 0.99])
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = make_optimizer(settings, [weight], torch.device("cpu"))
    set_betas(optimizer, betas_at(settings, 2, 10))
    assert optimizer.param_groups[0]["betas"] == pytest.approx((0.0, 0.945))
    assert not may_be_captured(optimizer, settings), "a captured step would keep its betas"
    constant = settings.model_copy(update={"last_betas": None})
    assert betas_at(constant, 9, 10) == (0.0, 0.9)
    assert may_be_captured(optimizer, constant)


@pytest.mark.parametrize(
    "keys",
    [
        {"last_lr": 0.1},
        {"drops": [1]},
        {"schedule": "steps"},
        {"schedule": "linear", "drops": [1]},
        {"schedule": "linear", "hold_kimg": 3, "schedule_kimg": 2},
    ],
)
def test_keys_of_another_schedule_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OptimizerSettings.model_validate({"lr": 1.0, **keys})


def test_the_half_life_of_the_average_moves_and_starts_late() -> None:
    game = build_game(shrunk("mlp"), SPEC)
    keys = {"half_life_kimg": 2, "first_half_life_kimg": 0, "schedule": "cosine", "schedule_kimg": 10, "rampup": None}
    ema = EMA(game, EmaSettings.model_validate(keys))
    halves = {0: 0.0, 5_000: 0.5 ** (100 / 1000), 10_000: 0.5 ** (100 / 2000), 99_000: 0.5 ** (100 / 2000)}
    assert [ema.decay(shown, 100) for shown in halves] == pytest.approx(list(halves.values()))
    late = EMA(game, EmaSettings(half_life_kimg=1, rampup=None, start_kimg=3))
    assert [late.decay(shown, 1000) for shown in (0, 2_999, 3_000)] == [0.0, 0.0, 0.5]


def test_half_of_a_weight_is_forgotten_after_the_half_life() -> None:
    game = build_game(shrunk("mlp"), SPEC)
    ema = EMA(game, EmaSettings(half_life_kimg=1, rampup=1e9))
    with torch.no_grad():
        for tensor in ema.game.generator.parameters():
            tensor.fill_(1.0)
        for tensor in game.generator.parameters():
            tensor.fill_(0.0)
    for step in range(1, 11):
        ema.update(images_shown=step * 100, images_per_step=100)
    left = next(ema.game.generator.parameters())
    # Ten float32 multiplications: some 1e-7 each.
    assert torch.allclose(left, torch.full_like(left, 0.5), atol=1e-6)


def test_an_average_of_spectrally_normalised_weights_is_normalised_itself() -> None:
    """The largest singular value of each averaged weight is 1; with averaged singular vectors it would be above.

    1e-3: power iterations from the trained network's vectors.
    """
    torch.manual_seed(0)
    game = build_game(shrunk("sngan"), SPEC)
    game.ema_networks = ("discriminator",)
    ema = EMA(game, EmaSettings(half_life_kimg=1, rampup=1e9))
    for step in range(1, 11):
        with torch.no_grad():
            for weight in game.discriminator.parameters():
                weight.add_(0.3 * torch.randn_like(weight))
            game.discriminator(torch.randn(4, 1, 8, 8), None)
        ema.update(images_shown=step * 100, images_per_step=100)
    again = EMA(game, EmaSettings(half_life_kimg=1))
    again.load(ema.state())
    for averaged in (ema.game, again.game):
        layers = [layer for layer in averaged.discriminator.modules() if isinstance(layer, torch.nn.Conv2d)]
        assert layers
        for layer in layers:
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2) == pytest.approx(1, abs=1e-3)


def test_the_plan_counts_every_turn_of_the_first_player_and_samples_first_and_last() -> None:
    recipe = shrunk("wgan-gp", kimg=0.96, turns={"discriminator": 3})
    plan = make_plan(recipe, TrainParams(sample_times=4), "discriminator")
    assert plan.images_per_step == 16 * 3
    assert plan.steps == 20
    assert plan.sample_at == {0, 5, 10, 15, 20}
    assert plan.kimg(plan.steps) == pytest.approx(0.96)


@pytest.mark.parametrize(
    ("validate_kimg", "expected"),
    [(1e9, {800}), (8, {400, 800}), (5, {266, 534, 800}), (1e-9, set(range(2, 801, 2)))],
)
def test_validations_fall_on_rows_of_curves_and_on_the_last_step(validate_kimg: float, expected: set[int]) -> None:
    """800 steps of 16 images, a row of curves after every other one; validations are spread evenly."""
    plan = make_plan(shrunk("dcgan", kimg=12.8), TrainParams(validate_kimg=validate_kimg), "discriminator")
    assert (plan.steps, plan.log_every) == (800, 2)
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
    with exclusive(folder), pytest.raises(TrainingError) as caught, exclusive(folder, 0.3):
        pass
    assert caught.value.code == "already-training"
    assert str(os.getpid()) in caught.value.found
    with exclusive(folder, 0.0):
        pass  # free again


def test_a_complete_training_removes_what_other_identities_left_and_nothing_else(tmp_path: Path) -> None:
    own, old, busy, foreign = (tmp_path / name for name in ("a" * 16, "b" * 16, "c" * 16, "notes"))
    for folder in (own, old, busy, foreign):
        folder.mkdir()
        (folder / "step-1.json").touch()
    with exclusive(busy):
        forget_others(own)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {own.name, busy.name, "notes"}


def test_cuda_that_is_not_there_is_refused_by_name() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(SettingsError) as caught:
        choose_hardware(TrainParams(device="cuda"), 10, SPEC.fields)
    assert caught.value.code == "no-device"


def test_auto_takes_what_is_there() -> None:
    hardware = choose_hardware(TrainParams(precision="float32", compile="never"), 10, SPEC.fields)
    assert hardware.precision_name == "float32"
    assert not hardware.compiled
