"""Checkpoints of a whole training: written, resumed after a kill, and returned to when training becomes unhealthy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ganops.errors import TrainingError
from ganops.training.checkpoint import (
    Checkpoint,
    checkpoint_steps,
    flatten,
    read_checkpoints,
    remove_checkpoint,
    unflatten,
    write_checkpoint,
)
from ganops.training.health import HealthEvent
from ganops.training.optimizers import load_state

if TYPE_CHECKING:
    from ganops.training.trainer import Trainer


def resume(trainer: Trainer) -> None:
    """Restore the newest valid checkpoint, if there is one.

    Raises TrainingError where the processes of a training do not find the same one.
    """
    if _restore_newest(trainer):
        trainer.callback.on_resume(trainer.step)
    elif checkpoint_steps(trainer.folder) and trainer.group.is_main_process:
        print("no checkpoint is whole: training starts again", flush=True)
    if not trainer.group.all_equal(trainer.step):
        raise TrainingError(
            "the processes of this training do not find the same checkpoint",
            code="checkpoints-differ",
            action=f"put {trainer.folder} where all machines see it, or remove it to start over",
        )


def save(trainer: Trainer) -> None:
    """Write a checkpoint; none of weights that are not finite, since the last healthy checkpoint must stay."""
    finite = all(bool(torch.isfinite(p).all()) for p in trainer.game.parameters())
    trainer.health.see_weights(trainer.step, finite)
    if not finite:
        return
    nested: dict[str, Any] = {
        "game": trainer.game.state_dict(),
        "ema": trainer.ema.state() if trainer.recipe.ema is not None else {},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in trainer.optimizers.items()},
        "curves": trainer.curves.state(),
        "health": trainer.health.state(),
        "history": trainer.history,
        "best": trainer.best.state(),
        "progress": [trainer.lr_scale, trainer.recoveries, trainer.seconds, trainer.validation_seconds],
    }
    if trainer.group.is_main_process:
        tensors, facts = flatten(nested)
        write_checkpoint(trainer.folder, Checkpoint(trainer.step, tensors, facts), trainer.health.healthy_step)
    trainer.group.barrier()


def react(trainer: Trainer, events: list[HealthEvent]) -> None:
    """Do what the recipe (or params.yaml) asks for when training becomes unhealthy; nothing without events.

    Raises TrainingError where the training has to stop.
    """
    if not events:
        return
    for event in events:
        trainer.callback.on_health(event)
        if trainer.group.is_main_process:
            print(f"unhealthy at step {event.step:,}: {event.detail}; to do: {event.action}", flush=True)
    settings, asked = trainer.recipe.health, trainer.params.on_unhealthy
    asked = settings.on_unhealthy if asked == "recipe" else asked
    hopeless = [event for event in events if event.kind == "non-finite"]
    if asked == "recover" and trainer.recoveries < settings.max_recoveries:
        _recover(trainer, to_healthy=not hopeless)
    elif asked != "warn" or hopeless:
        event = (hopeless or events)[0]
        raise TrainingError(
            f"training became unhealthy at step {event.step} ({event.kind}): {event.detail}",
            code="unhealthy",
            found=event.kind,
            action=f"{event.action}; or set train.on_unhealthy: recover",
        )


def _recover(trainer: Trainer, *, to_healthy: bool) -> None:
    """Return to the last healthy checkpoint with halved learning rates; the events are kept.

    to_healthy: else to the last one at all, in which at least all weights are finite.
    """
    events, scale, recoveries = trainer.health.events, trainer.lr_scale / 2, trainer.recoveries + 1
    if to_healthy:
        _drop_later(trainer, trainer.health.healthy_step)
    if not _restore_newest(trainer):
        raise TrainingError(
            f"training became unhealthy at step {trainer.step}, before the first checkpoint",
            code="unhealthy-before-checkpoint",
            found=events[-1].detail,
            action="lower the learning rates, or set train.checkpoint_seconds lower in params.yaml",
        )
    trainer.health.events, trainer.lr_scale, trainer.recoveries = events, scale, recoveries
    trainer.callback.on_resume(trainer.step)


def _drop_later(trainer: Trainer, step: int) -> None:
    """Remove the checkpoints after `step` where there is an earlier one: a problem had begun by then, unseen."""
    steps = checkpoint_steps(trainer.folder)
    if trainer.group.is_main_process and steps and steps[0] <= step:
        for later in steps:
            if later > step:
                remove_checkpoint(trainer.folder, later)
    trainer.group.barrier()


def _restore_newest(trainer: Trainer) -> bool:
    """Restore the newest valid checkpoint; damaged ones are reported on screen and skipped."""
    for found in read_checkpoints(trainer.folder, str(trainer.hardware.device)):
        if isinstance(found, Checkpoint):
            _restore(trainer, found)
            return True
        print(f"{found}; trying the previous one", flush=True)
    return False


def _restore(trainer: Trainer, checkpoint: Checkpoint) -> None:
    nested = unflatten(checkpoint.facts, checkpoint.tensors)
    trainer.game.load_state_dict(nested["game"])
    if trainer.recipe.ema is not None:
        trainer.ema.load(nested["ema"])
    for name, optimizer in trainer.optimizers.items():
        load_state(optimizer, nested["optimizers"][name])
    trainer.stepper.optimizers_changed()
    trainer.curves.load(nested["curves"])
    trainer.health.load(nested["health"])
    trainer.history = nested["history"]
    trainer.best.load(nested["best"])
    trainer.lr_scale, trainer.recoveries, trainer.seconds, trainer.validation_seconds = nested["progress"]
    trainer.step = checkpoint.step
