"""Each check: a training made unhealthy on purpose raises it, a healthy one raises nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_training import SPEC, digits, make_trainer, run, shrunk

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.vector import VectorField
from ganops.errors import TrainingError
from ganops.params import GateParams
from ganops.recipe import HealthSettings, OptimizerSettings
from ganops.registry.gate import ModelRecord, decide
from ganops.training.callback import Callback
from ganops.training.health import Health, movement, spread
from ganops.training.summary import summarise
from ganops.training.trainer import Trainer

IMAGE = SPEC.fields["image"]


class Resumed(Callback):
    """Notes where a training resumes."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def on_resume(self, step: int) -> None:
        self.steps.append(step)


def health_of(steps: int) -> Health:
    """The checks of a training on the digits."""
    return Health(IMAGE, spread(IMAGE.to_model(digits()["image"])), steps)


def kinds(trainer: Trainer) -> set[str]:
    return {event.kind for event in trainer.health.events}


def rates(generator: float, discriminator: float, kind: str = "adam") -> dict[str, OptimizerSettings]:
    return {
        "generator": OptimizerSettings.model_validate({"kind": kind, "lr": generator}),
        "discriminator": OptimizerSettings.model_validate({"kind": kind, "lr": discriminator}),
    }


def test_a_healthy_training_raises_nothing(tmp_path: Path) -> None:
    trainer = run(make_trainer(tmp_path, shrunk("mlp", kimg=8), sample_times=10, checkpoint_seconds=1e9))
    assert trainer.health.events == []


def test_numbers_that_are_not_finite_stop_the_training_even_where_a_warning_is_asked_for(tmp_path: Path) -> None:
    recipe = shrunk("wgan-gp", kimg=4, optimizers=rates(1e20, 1e20, "sgd"), health=HealthSettings(on_unhealthy="warn"))
    with pytest.raises(TrainingError) as caught:
        run(make_trainer(tmp_path, recipe, checkpoint_seconds=1e9))
    assert (caught.value.code, caught.value.found) == ("unhealthy", "non-finite")


def test_weights_that_a_checkpoint_finds_not_finite_stop_the_training_before_the_next_row(tmp_path: Path) -> None:
    """Rows of a long training are minutes apart; what its losses then say must not pass as known already."""
    trainer = make_trainer(tmp_path, shrunk("mlp", kimg=0.016 * 12))
    trainer.plan = replace(trainer.plan, log_every=12)
    broken = next(trainer.game.parameters())
    broken.register_hook(lambda gradient: gradient * torch.nan if trainer.step == 2 else gradient)
    with pytest.raises(TrainingError) as caught:
        run(trainer)
    assert (caught.value.code, caught.value.found, trainer.step) == ("unhealthy", "non-finite", 3)


def test_a_discriminator_that_has_won_is_seen(tmp_path: Path) -> None:
    """With the saturating loss a generator that does not learn gets no gradient once the discriminator is sure."""
    recipe = shrunk("mlp", kimg=6, game={"kind": "unconditional", "loss": "minimax"}, optimizers=rates(1e-9, 1e-2))
    trainer = run(make_trainer(tmp_path, recipe, checkpoint_seconds=1e9))
    assert "discriminator-won" in kinds(trainer)
    assert "discriminator-won" in trainer.health.active
    record = ModelRecord("1", unhealthy=summarise(trainer, "mlp")["unhealthy"])
    assert "unhealthy" in decide(GateParams(), record, None).codes


def test_collapse_is_seen(tmp_path: Path) -> None:
    """A generator that runs at a hundred times the discriminator's pace ends with one image for every latent."""
    recipe = shrunk("mlp", kimg=8, optimizers=rates(5e-2, 1e-4), ema=None)
    trainer = run(make_trainer(tmp_path, recipe, sample_times=10, checkpoint_seconds=1e9))
    assert "collapse" in kinds(trainer)


def test_oscillation_is_seen_when_the_same_latents_give_unrelated_images_each_time() -> None:
    health, real = health_of(1000), digits()["image"]
    for step in range(300, 1000, 100):
        health.see_samples(step, real[torch.randperm(256, generator=torch.Generator().manual_seed(step))[:64]])
    assert [event.kind for event in health.events] == ["oscillation"]


def test_slowly_changing_samples_do_not_count_as_oscillation() -> None:
    health, real = health_of(1000), digits()["image"].float()
    for step in range(300, 1000, 100):
        mixed = real[:64].lerp(real[64:128], step / 1000).to(torch.uint8)
        health.see_samples(step, mixed)
    assert health.events == []


def test_a_training_too_short_to_judge_is_not_called_collapsed() -> None:
    health = health_of(12)
    for step in (6, 12):
        health.see_samples(step, torch.full((16, 1, 8, 8), 128, dtype=torch.uint8))
    assert health.events == []


def test_recover_goes_back_and_halves_the_rates_and_gives_up_after_the_stated_number(tmp_path: Path) -> None:
    recipe = shrunk(
        "mlp",
        kimg=8,
        optimizers=rates(5e-2, 1e-4),
        ema=None,
        health=HealthSettings(on_unhealthy="recover", max_recoveries=2),
    )
    resumed = Resumed()
    trainer = make_trainer(tmp_path, recipe, resumed, sample_times=10, checkpoint_seconds=1e-9)
    with pytest.raises(TrainingError) as caught:
        run(trainer)
    assert resumed.steps == [250, 250], "before the first of the two looks at samples that found a collapse, at 300"
    assert caught.value.code == "unhealthy"
    assert trainer.recoveries == 2
    assert trainer.lr_scale == 0.25
    assert [event.kind for event in trainer.health.events].count("collapse") == 3


def test_spread_and_movement_by_hand() -> None:
    """Two images of four pixels that differ by 10 everywhere are 10 apart, whatever their number of pixels."""
    images = torch.zeros(2, 1, 2, 2, dtype=torch.uint8)
    images[1] = 10
    assert spread(images) == pytest.approx(10)
    assert movement(images, images + 3) == pytest.approx(3)


def test_state_comes_back_whole() -> None:
    health = Health(IMAGE, 0.5, steps=10)
    health.see_curves(1, {"loss": float("nan"), "accuracy": 1.0}, 0.5)
    health.see_samples(5, digits()["image"][:8])
    again = Health(IMAGE, 0.5, steps=10)
    again.load(health.state())
    assert again.events == health.events
    assert again.active == health.active
    assert again.state()["gradients"] == health.state()["gradients"]


def test_a_state_that_was_loaded_onto_another_device_is_compared_on_the_cpu() -> None:
    """Checkpoints are read onto the training device; fresh samples lie on the CPU."""
    health = Health(IMAGE, 0.5, steps=10)
    health.see_samples(1, digits()["image"][:8])
    state = health.state()
    loaded: list[str] = []

    class OnAnotherDevice:
        def cpu(self) -> torch.Tensor:
            loaded.append("cpu")
            return digits()["image"][:8]

    health.load(state | {"last_samples": OnAnotherDevice()})
    health.see_samples(2, digits()["image"][:8])
    assert loaded == ["cpu"]


@pytest.mark.parametrize("field", [VectorField(size=2), CategoryField(classes=("a", "b"))])
def test_samples_of_any_field_are_checked(field: Field) -> None:
    """A thousand equal rows are a collapse whatever they are."""
    different = torch.randn(64, 2) if isinstance(field, VectorField) else torch.arange(64) % 2
    health = Health(field, spread(field.to_model(different).view(64, -1)), steps=1000)
    for step in (500, 1000):
        health.see_samples(step, torch.zeros_like(different))
    assert [event.kind for event in health.events] == ["collapse"]


def test_a_single_sample_says_nothing_about_health() -> None:
    health = health_of(1000)
    for step in range(500, 1000, 100):
        health.see_samples(step, digits()["image"][step : step + 1])
    assert health.events == []
