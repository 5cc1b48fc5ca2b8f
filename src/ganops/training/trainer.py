"""The loop: players take their turns, round after round, exactly resumable at every one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from ganops.data.packed import PackedImages
from ganops.errors import TrainingError
from ganops.games.game import Game, Request
from ganops.games.sampling import draw_latents, to_packed
from ganops.params import TrainParams
from ganops.progress import Progress
from ganops.recipe import Recipe
from ganops.training.batches import Batches
from ganops.training.best import Best, Scorer, Weights
from ganops.training.callback import Callback
from ganops.training.checkpoint import (
    Checkpoint,
    flatten,
    read_checkpoints,
    unflatten,
    write_checkpoint,
)
from ganops.training.cpu.convolutions import install_cpu_kernels
from ganops.training.cpu.malloc import disable_malloc_trim
from ganops.training.distributed.process_group import Processes
from ganops.training.ema import EMA
from ganops.training.frozen import Frozen, trained
from ganops.training.hardware import Hardware
from ganops.training.health import Health, HealthEvent, spread
from ganops.training.history import Curves, Row
from ganops.training.interruption import Interruption
from ganops.training.optimizers import load_state, make_optimizer, rate_factor, set_rate
from ganops.training.plan import Plan
from ganops.training.step import Rounds

SAMPLE_SEED_OFFSET = 1  # the fixed latents of the grids are not those of the evaluation
REAL_SPREAD_IMAGES = 256


class Trainer:
    """One training of one game: made, perhaps resumed from `folder`, run to the end of its plan.

    After `run`, `history` holds all rows of curves, `average.game` the game that makes samples, `health` what was sick,
    `best` the weights of the step that `scorer` liked best. Of several processes the one that leads has the scorer.
    """

    def __init__(
        self,
        game: Game,
        recipe: Recipe,
        data: PackedImages,
        params: TrainParams,
        plan: Plan,
        hardware: Hardware,
        folder: Path,
        seed: int,
        observer: Callback,
        processes: Processes | None = None,
        scorer: Scorer | None = None,
    ) -> None:
        self.processes = processes or Processes()
        self.recipe, self.params, self.plan, self.hardware = recipe, params, plan, hardware
        self.folder, self.seed, self.observer, self.scorer = folder, seed, observer, scorer
        self.game = game.to(hardware.device).train()
        self.game.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
        self.frozen = Frozen(self.game, recipe.init.freeze if recipe.init else ())
        self.frozen.hold()
        self.ema = EMA(self.game, recipe.ema)
        self.optimizers = {name: self._optimizer(name) for name in game.players}
        self.batches = Batches(data, hardware.device, recipe.batch_size, seed, recipe.flip, recipe.parts)
        labels = torch.arange(params.sample_images) % game.class_count if game.class_count else None
        latents = draw_latents(params.sample_images, game.latent_dim, seed + SAMPLE_SEED_OFFSET)
        self.request = Request(latents.to(hardware.device), None if labels is None else labels.to(hardware.device))
        self.health = Health(spread(data.images[:REAL_SPREAD_IMAGES]), plan.steps)
        self.curves, self.history, self.best = Curves(), list[Row](), Best()
        self._gradient = torch.zeros(())
        self.step, self.rate_scale, self.recoveries, self.seconds, self.scoring_seconds = 0, 1.0, 0, 0.0, 0.0
        if hardware.device.type == "cpu":
            install_cpu_kernels()
            disable_malloc_trim()
        overfit = params.debug == "overfit-one-batch"
        self.rounds = Rounds(
            game, recipe, self.optimizers, self.batches, hardware, self.processes, seed, overfit=overfit
        )
        if hardware.compiled:
            for network in game.children():
                network.compile(dynamic=False)

    def run(self, interruption: Interruption, bar: Progress | None = None) -> None:
        """Play all rounds that are left.

        Raises TrainingError when interrupted (a checkpoint is written first) or when a sick run has to stop.
        """
        self._resume()
        if bar is not None:
            bar.begin_at(self.step * self.plan.images_per_step)
        began, checkpointed = time.monotonic(), time.monotonic()
        before = self.seconds
        if self.step == 0:
            self._sample()
        while self.step < self.plan.steps:
            self.run_step()
            self.seconds = before + time.monotonic() - began
            sick_before = len(self.health.events)
            if self.step % self.plan.row_every == 0 or self.step == self.plan.steps:
                self._row(bar)
            if self.step in self.plan.sample_at:
                self._sample()
            if len(self.health.events) > sick_before:
                self._react(self.health.events[sick_before:])
            if self.processes.any(interruption.requested()):
                self._checkpoint()
                reason = interruption.reason or "another of its processes was told to"
                raise TrainingError(
                    f"training stopped after round {self.step} of {self.plan.steps}: {reason}",
                    action="start the same command again: it goes on from here",
                    exit_code=interruption.exit_code,
                )
            if self.processes.any(time.monotonic() - checkpointed > self.params.checkpoint_seconds):
                self._checkpoint()
                checkpointed = time.monotonic()
        self.seconds = before + time.monotonic() - began
        self._draw(bar)

    def parameter_counts(self) -> dict[str, int]:
        """Number of parameters of each network, the frozen ones too."""
        return {name: sum(p.numel() for p in network.parameters()) for name, network in self.game.named_children()}

    @property
    def selected(self) -> Literal["best", "last"]:
        """Whose weights the recipe wants, as far as there are such."""
        return self.recipe.select if self.best.weights else "last"

    def weights(self) -> Weights:
        """State dicts of all networks as they are selected: averaged where there is an average."""
        return self.best.weights if self.selected == "best" else self._weights()

    def run_step(self) -> None:
        """Play the next round and take note of what it gave."""
        self._set_rates()
        played = self.rounds.play(self.step, gradient_wanted=self._row_is_next())
        for values in played.values:
            self.curves.add(values)
        self._gradient = self._gradient if played.gradient is None else played.gradient
        self.step += 1
        self.ema.update(self.step * self.plan.images_per_step, self.plan.images_per_step)

    def _set_rates(self) -> None:
        kimg, budget = self.plan.kimg(self.step), self.plan.kimg(self.plan.steps)
        for player, optimizer in self.optimizers.items():
            settings = self.recipe.optimizers[player]
            set_rate(optimizer, self.rate_scale * settings.lr * rate_factor(settings, kimg, budget))

    def _row(self, bar: Progress | None) -> None:
        curves = self.processes.average_row(self.curves.take())
        row = {"step": float(self.step), "kimg": self.plan.kimg(self.step)} | curves
        self.health.see_curves(self.step, row, float(self._gradient))
        if self.scorer is not None and self.step in self.plan.validate_at:
            row[self.scorer.name] = self._score(self.scorer)
        self.history.append(row)
        self.observer.row(row)
        self._draw(bar)

    def _score(self, scorer: Scorer) -> float:
        began = time.monotonic()
        score = scorer(self.ema.game)
        self.best.see(self.step, score, self._weights())
        self.scoring_seconds += time.monotonic() - began
        return score

    def _weights(self) -> Weights:
        return {name: network.state_dict() for name, network in self.game.named_children()} | self.ema.state()

    @torch.no_grad()
    def _sample(self) -> None:
        self.ema.game.eval()
        with self.hardware.autocast():
            images = to_packed(self.ema.game.generate(self.request)).cpu()
        self.ema.game.train(self.recipe.ema is None)
        self.frozen.hold()
        self.health.see_samples(self.step, images)
        self.observer.samples(self.step, images)

    def _react(self, events: list[HealthEvent]) -> None:
        """Do what the recipe (or params.yaml) wants done about a sickness that has just begun."""
        for event in events:
            self.observer.health(event)
        asked = self.recipe.health.on_unhealthy if self.params.on_unhealthy == "recipe" else self.params.on_unhealthy
        hopeless = [event for event in events if event.kind == "non-finite"]
        if asked == "recover" and self.recoveries < self.recipe.health.max_recoveries:
            self._recover()
        elif asked != "warn" or hopeless:
            event = (hopeless or events)[0]
            raise TrainingError(
                f"training fell sick in round {event.step}: {event.kind}: {event.detail}",
                action="lower the learning rates, change the penalty, or set health.on_unhealthy: recover in the recipe",
            )

    def _recover(self) -> None:
        """Back to the last checkpoint, learning rates halved; what happened stays on record."""
        events, scale, recoveries = self.health.events, self.rate_scale / 2, self.recoveries + 1
        if not self._restore_newest():
            raise TrainingError(
                f"training fell sick in round {self.step}, before the first checkpoint",
                found=events[-1].detail,
                action="lower the learning rates, or set train.checkpoint_seconds lower in params.yaml",
            )
        self.health.events, self.rate_scale, self.recoveries = events, scale, recoveries
        self.observer.resumed(self.step)

    def _resume(self) -> None:
        if self._restore_newest():
            self.observer.resumed(self.step)
        if not self.processes.all_equal(self.step):
            raise TrainingError(
                "the processes of this training do not find the same checkpoint",
                action=f"put {self.folder} where all machines see it, or remove it to start anew",
            )

    def _restore_newest(self) -> bool:
        """Restore the newest whole checkpoint; damaged ones are named on screen and passed over."""
        for found in read_checkpoints(self.folder, str(self.hardware.device)):
            if isinstance(found, Checkpoint):
                self._restore(found)
                return True
            print(f"{found}; trying the one before it", flush=True)
        return False

    def _checkpoint(self) -> None:
        finite = all(bool(torch.isfinite(p).all()) for p in self.game.parameters())
        self.health.see_weights(self.step, finite)
        if not finite:
            return  # the last healthy checkpoint must stay
        nested: dict[str, Any] = {
            "game": self.game.state_dict(),
            "average": self.ema.state() if self.recipe.ema is not None else {},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "curves": self.curves.state(),
            "health": self.health.state(),
            "history": self.history,
            "best": self.best.state(),
            "progress": [self.rate_scale, self.recoveries, self.seconds, self.scoring_seconds],
        }
        if self.processes.is_main_process:
            tensors, facts = flatten(nested)
            write_checkpoint(self.folder, Checkpoint(self.step, tensors, facts))
        self.processes.wait()

    def _restore(self, checkpoint: Checkpoint) -> None:
        nested = unflatten(checkpoint.facts, checkpoint.tensors)
        self.game.load_state_dict(nested["game"])
        if self.recipe.ema is not None:
            self.ema.load(nested["average"])
        for name, optimizer in self.optimizers.items():
            load_state(optimizer, nested["optimizers"][name])
        self.rounds.optimizers_changed()
        self.curves.load(nested["curves"])
        self.health.load(nested["health"])
        self.history = nested["history"]
        self.best.load(nested["best"])
        self.rate_scale, self.recoveries, self.seconds, self.scoring_seconds = nested["progress"]
        self.step = checkpoint.step

    def _optimizer(self, player: str) -> torch.optim.Optimizer:
        return make_optimizer(
            self.recipe.optimizers[player], trained(self.game, player), self.hardware.device.type == "cuda"
        )

    def _row_is_next(self) -> bool:
        return (self.step + 1) % self.plan.row_every == 0 or self.step + 1 == self.plan.steps

    def _draw(self, bar: Progress | None) -> None:
        if bar is not None:
            bar.update(self.step * self.plan.images_per_step, self._note())

    def _note(self) -> str:
        """The step, the latest curves and the health, for the progress line."""
        row: Mapping[str, float] = self.history[-1] if self.history else {}
        losses = " ".join(f"{name} {value:.2f}" for name, value in row.items() if name.endswith("/loss"))
        state = f"UNHEALTHY: {', '.join(sorted(self.health.active))}" if self.health.active else "healthy"
        return "  ".join(part for part in (f"step {self.step:,}", losses, state) if part)
