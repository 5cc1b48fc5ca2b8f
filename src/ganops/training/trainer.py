"""The training loop: players take their turns, step after step, exactly resumable after each."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

from ganops.data.fields.field import stored_rows
from ganops.data.rows import concatenate
from ganops.errors import TrainingError
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, draw_inputs
from ganops.params import TrainParams
from ganops.progress import Progress
from ganops.recipe import Recipe
from ganops.training.batches import Batches, TrainingData
from ganops.training.best import Best, Validation, Weights
from ganops.training.callback import Callback
from ganops.training.distributed.process_group import ProcessGroup
from ganops.training.ema import EMA
from ganops.training.frozen import Frozen, trained_parameters
from ganops.training.hardware import Hardware
from ganops.training.health import Health, spread
from ganops.training.history import Curves, Row
from ganops.training.interruption import Interruption
from ganops.training.optimizers import betas_at, lr_factor, make_optimizer, set_betas, set_lr
from ganops.training.plan import Plan
from ganops.training.recovery import react, resume, save
from ganops.training.source_probe import source_probes
from ganops.training.step import TrainingStep

SAMPLE_SEED_OFFSET = 1  # the fixed latents of the grids differ from those of the evaluation
REAL_SPREAD_ROWS = 256


class Trainer:
    """One training of one game: constructed, perhaps resumed from `folder`, run to the end of its plan.

    Constructing a trainer changes the game and nothing else. After `run`, `history` holds all rows of curves,
    `ema.game` the game that makes samples, `health` the problems found, `best` the weights of the step that was best by
    the validation metric. Of several processes only the main one validates.
    """

    def __init__(
        self,
        game: Game,
        recipe: Recipe,
        data: TrainingData,
        params: TrainParams,
        plan: Plan,
        hardware: Hardware,
        folder: Path,
        seed: int,
        callback: Callback | None = None,
        group: ProcessGroup | None = None,
        validation: Validation | None = None,
        held_out: HeldOut | None = None,
    ) -> None:
        self.group, self.callback, self.validation = group or ProcessGroup(), callback or Callback(), validation
        self.recipe, self.data, self.params, self.plan, self.hardware = recipe, data, params, plan, hardware
        self.folder, self.seed = folder, seed
        self.game = game.to(hardware.device).train()
        self.game.to(memory_format=torch.channels_last)  # pyrefly: ignore[no-matching-overload]  # torch's stub lacks it
        self.frozen = Frozen(self.game, recipe.init.freeze if recipe.init else ())
        self.frozen.keep_eval()
        self.ema = EMA(self.game, recipe.ema)
        self.optimizers = {name: self._optimizer(name) for name in game.players}
        here = self.group.micro_batches(recipe.micro_batches)
        self.batches = Batches(
            *(data, hardware.device, recipe.batch_size, seed),
            flip=recipe.flip,
            micro_batches=recipe.micro_batches,
            here=here,
        )
        size = max(2, recipe.batch_size // recipe.micro_batches)  # sampling takes less memory than training
        drawn = draw_inputs(
            game.task, params.sample_images, seed + SAMPLE_SEED_OFFSET, held_out=held_out, batch_size=size
        )
        self._sample_inputs = [each.modelled for each in drawn]
        self.health = self._make_health()
        self._probes = source_probes(game, data, seed + SAMPLE_SEED_OFFSET)
        self.curves, self.history = Curves(), list[Row]()
        self.best = Best(validation.better if validation else "lower")
        self._gradient = torch.zeros(())
        self.step, self.lr_scale, self.recoveries, self.seconds, self.validation_seconds = 0, 1.0, 0, 0.0, 0.0
        overfit = params.debug == "overfit-one-batch"
        self.stepper = TrainingStep(
            game, recipe, self.optimizers, self.batches, hardware, self.group, seed, overfit=overfit
        )
        if hardware.compiled:
            for network in game.children():
                network.compile(dynamic=False)

    def run(self, interruption: Interruption, bar: Progress | None = None) -> None:
        """Take all remaining steps.

        Raises TrainingError when interrupted (a checkpoint is written first) or when an unhealthy run has to stop.
        """
        resume(self)
        if bar is not None:
            bar.begin_at(self.step * self.plan.images_per_step)
        began, checkpointed = time.monotonic(), time.monotonic()
        before = self.seconds
        if self.step == 0:
            self._sample()
        while self.step < self.plan.steps:
            self.run_step()
            self.seconds = before + time.monotonic() - began
            known = len(self.health.events)
            if self.plan.logs(self.step):
                self._log(bar)
            if self.step in self.plan.sample_at:
                self._sample()
            react(self, self.health.events[known:])
            if self.group.any(interruption.requested()):
                save(self)
                reason = interruption.reason or "another process of this training was asked to stop"
                raise TrainingError(
                    f"training stopped after step {self.step} of {self.plan.steps}: {reason}",
                    code="interrupted",
                    action="run the same command again to resume from here",
                    exit_code=interruption.exit_code,
                )
            if self.group.any(time.monotonic() - checkpointed > self.params.checkpoint_seconds):
                known = len(self.health.events)
                save(self)
                checkpointed = time.monotonic()
                react(self, self.health.events[known:])
        self.seconds = before + time.monotonic() - began
        self._draw(bar)

    def parameter_counts(self) -> dict[str, int]:
        """Number of parameters of each network, the frozen ones too."""
        return {name: sum(p.numel() for p in network.parameters()) for name, network in self.game.named_children()}

    @property
    def selected(self) -> Literal["best", "last"]:
        """Whose weights the training leaves: as the recipe asks, but the last where nothing was validated."""
        return self.recipe.select if self.best.weights else "last"

    def weights(self) -> Weights:
        """State dicts of all networks of the selected step, averaged where there is an average."""
        return self.best.weights if self.selected == "best" else self._weights()

    def run_step(self) -> None:
        """Take the next step and add its values to the curves."""
        self._enter_stage()
        self._set_schedules()
        output = self.stepper.run(self.step, gradient_wanted=self.plan.logs(self.step + 1))
        for values in output.values:
            self.curves.add(values)
        self._gradient = self._gradient if output.gradient is None else output.gradient
        self.step += 1
        self.ema.update(self.step * self.plan.images_per_step, self.plan.images_per_step)

    def _enter_stage(self) -> None:
        """Set the game's stage for the next step, and say where a later stage begins."""
        stage = self.plan.stage(self.step)
        if stage != self.game.stage:
            self.game.stage = self.ema.game.stage = stage
        if self.step in self.plan.stage_ends:
            self.game.on_stage_begin(self.ema.game)
            self.health.on_stage_begin()

    def _set_schedules(self) -> None:
        kimg, budget = self.plan.kimg(self.step), self.plan.kimg(self.plan.steps)
        for player, optimizer in self.optimizers.items():
            settings = self.recipe.optimizers[player]
            set_lr(optimizer, self.lr_scale * settings.lr * lr_factor(settings, kimg, budget))
            set_betas(optimizer, betas_at(settings, kimg, budget))

    def _log(self, bar: Progress | None) -> None:
        curves = self.group.average_row(self.curves.take())
        row = {"step": float(self.step), "kimg": self.plan.kimg(self.step)} | curves
        self.health.see_curves(self.step, row, float(self._gradient))
        if self.validation is not None and self.step in self.plan.validate_at:
            row[self.validation.name] = self._validate(self.validation)
        self.history.append(row)
        self.callback.on_log(row)
        self._draw(bar)

    def _validate(self, validation: Validation) -> float:
        began = time.monotonic()
        with self._evaluated() as game:
            value = validation(game)
        if self.plan.in_last_stage(self.step):
            self.best.update(self.step, value, self._weights())
        self.validation_seconds += time.monotonic() - began
        return value

    def _weights(self) -> Weights:
        return {name: network.state_dict() for name, network in self.game.named_children()} | self.ema.state()

    @contextmanager
    def _evaluated(self) -> Generator[Game]:
        """The game that makes samples, in eval mode; afterwards the trained one is in training mode again."""
        game = self.ema.game.eval()
        try:
            yield game
        finally:
            self.game.train()
            self.frozen.keep_eval()

    @torch.no_grad()
    def _sample(self) -> None:
        device = self.hardware.device
        with self._evaluated() as game, self.hardware.autocast():
            made = [game.generate(inputs.to(device)) for inputs in self._sample_inputs]
            translations = [probe.ask(game, device) for probe in self._probes]
        stored = concatenate([stored_rows(rows, self.game.task.outputs) for rows in made])
        self.health.see_samples(self.step, next(iter(stored.values())))
        self.health.see_translations(self.step, translations)
        self.health.on_samples_seen(self.step)
        self.callback.on_samples(self.step, stored)

    def _optimizer(self, player: str) -> torch.optim.Optimizer:
        parameters = trained_parameters(self.game, player)
        return make_optimizer(self.recipe.optimizers[player], parameters, self.hardware.device)

    def _make_health(self) -> Health:
        """Checks of the task's first output, compared with real rows where the data have such a field."""
        name, field = next(iter(self.game.task.outputs.items()))
        rows = next((rows for rows in self.data.rows if name in rows), None)
        real = None
        if rows is not None:
            real = field.to_model(self.data.converted(rows.select(slice(0, REAL_SPREAD_ROWS)))[name])
        return Health(field, 0.0 if real is None else spread(real), self.plan.steps)

    def _draw(self, bar: Progress | None) -> None:
        if bar is not None:
            bar.update(self.step * self.plan.images_per_step, self._note())

    def _note(self) -> str:
        """The step, the latest losses and the health, for the progress line."""
        row: Mapping[str, float] = self.history[-1] if self.history else {}
        losses = " ".join(f"{name} {value:.2f}" for name, value in row.items() if name.endswith("/loss"))
        state = f"UNHEALTHY: {', '.join(sorted(self.health.active))}" if self.health.active else "healthy"
        return "  ".join(part for part in (f"step {self.step:,}", losses, state) if part)
