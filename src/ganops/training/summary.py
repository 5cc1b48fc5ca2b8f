"""training.json: what a training was, in numbers."""

from __future__ import annotations

from typing import Any

import torch

from ganops.training.trainer import Trainer


def summarise(trainer: Trainer, recipe_name: str) -> dict[str, Any]:
    """The facts of a finished training.

    images_per_second counts real images shown, over the wall time of the loop with sampling and checkpoints, without
    start-up. unhealthy: a problem was still present at the end. selected: the step whose weights the model has.
    pretrained: which networks from elsewhere the losses looked through, with the sha256 of their files.
    The validation metric's values stand under its name, with the seconds it took; absent where nothing was validated.
    """
    shown = trainer.step * trainer.plan.images_per_step
    return {
        "recipe": recipe_name,
        "steps": trainer.step,
        "kimg": round(shown / 1000, 3),
        "seconds": round(trainer.seconds, 2),
        "images_per_second": round(shown / trainer.seconds, 1),
        "device": trainer.hardware.device_name,
        "precision": trainer.hardware.precision_name,
        "compiled": trainer.hardware.compiled,
        "torch": torch.__version__,
        "seed": trainer.seed,
        "parameters": trainer.parameter_counts(),
        "pretrained": {
            name: f"{network.kind}, sha256 {network.sha256}" for name, network in trainer.game.pretrained.items()
        },
        "health_events": [event.facts() for event in trainer.health.events],
        "recoveries": trainer.recoveries,
        "unhealthy": bool(trainer.health.active),
        "selected": trainer.selected,
    } | _validation(trainer)


def _validation(trainer: Trainer) -> dict[str, Any]:
    if trainer.validation is None:
        return {}
    name, best = trainer.validation.name, trainer.best
    return {
        f"{name}_best": best.value,
        f"{name}_best_step": best.step,
        f"{name}_last": trainer.history[-1][name],
        f"{name}_seconds": round(trainer.validation_seconds, 2),
    }
