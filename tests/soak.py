"""Disturb trainings, registry commands and records as long as asked, and demand the undisturbed result each time.

python tests/soak.py [--minutes 30] [--seed N] [--kinds training registry records]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file
from soak_records import RecordTrials
from soak_registry import RegistryTrials
from tiny_training import make_trainer, run, shrunk, train_to_the_end, weights

from ganops.errors import TrainingError
from ganops.tracking.store import connect
from ganops.training.history import write_history
from ganops.training.interruption import watch_for_interruption
from ganops.training.lock import exclusive

# One for each kind of game, and for each kind of state that a checkpoint has to hold.
RECIPES = (
    *("mlp", "dcgan", "wgan-gp", "cgan", "acgan", "infogan", "bigan"),
    *("unrolled", "pacgan", "fastgan", "stylegan2-ada"),
)
KIMG = 1.2
KINDS = ("training", "registry", "records")
FAULTS = ("kill", "terminate", "cut checkpoint", "flip a byte", "full disk", "two at once", "none")


class Trials(Protocol):
    """One kind of trial."""

    def run(self, number: int) -> Counter[str]:
        """Carry out one, with faults; how often each happened. Raises AssertionError for a loss."""


def train(folder: Path, recipe: str, largest_file: int | None) -> None:
    """A training as the stage runs it: alone in its folder, stoppable, perhaps on a disk that is nearly full."""
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        with exclusive(folder, wait_seconds=2), watch_for_interruption() as interruption:
            train_to_the_end(folder, recipe, KIMG, interruption)
    except TrainingError as error:
        sys.exit(error.exit_code)


def disturb(chance: random.Random, fault: str, folder: Path, start: Callable[[int | None], BaseProcess]) -> None:
    """Start a training in `folder` and do one bad thing to it, or to its files afterwards."""
    children: list[BaseProcess] = [start(4000 if fault == "full disk" else None)]
    if fault == "two at once":
        children.append(start(None))
    patience = 120.0 if fault == "none" else chance.uniform(0.05, 2.0)
    children[0].join(patience)
    for child in children:
        if child.is_alive() and child.pid is not None:
            child.terminate() if fault == "terminate" else child.kill()
        child.join()
    newest = max(folder.glob("step-*.safetensors"), default=None)
    if newest is not None and fault in ("cut checkpoint", "flip a byte"):
        content = bytearray(newest.read_bytes())
        content[len(content) // 2] ^= 1
        newest.write_bytes(content[: len(content) // 3] if fault == "cut checkpoint" else content)


class TrainingTrials:
    """Small trainings, each disturbed until it has ended, against the undisturbed ones of the same recipes."""

    def __init__(self, home: Path, chance: random.Random, context: ForkServerContext) -> None:
        self.home, self.chance, self.context = home, chance, context
        self.expected: dict[str, tuple[dict[str, torch.Tensor], bytes]] = {}

    def run(self, number: int) -> Counter[str]:
        """Disturb one training; raises AssertionError where its weights or its history are not the undisturbed ones."""
        recipe, folder = self.chance.choice(RECIPES), self.home / str(number)
        folder.mkdir(parents=True)
        faults: Counter[str] = Counter()

        def start(largest_file: int | None) -> BaseProcess:
            child = self.context.Process(target=train, args=(folder, recipe, largest_file))
            child.start()
            return child

        left = self.chance.randint(2, 12)
        while not (folder / "weights.safetensors").exists():
            fault = self.chance.choice(FAULTS[:-1]) if left > 0 else "none"
            left -= 1
            disturb(self.chance, fault, folder, start)
            faults[f"training: {fault}"] += 1
        found = load_file(folder / "weights.safetensors")
        tensors, history = self._undisturbed(recipe)
        lost = [name for name in tensors if not torch.equal(tensors[name], found[name])]
        assert not lost, f"{recipe} after {dict(faults)}: {lost}"
        assert (folder / "history.csv").read_bytes() == history, f"{recipe} after {dict(faults)}: history.csv"
        shutil.rmtree(folder)
        return faults

    def _undisturbed(self, recipe: str) -> tuple[dict[str, torch.Tensor], bytes]:
        if recipe not in self.expected:
            whole = run(make_trainer(self.home / "whole" / recipe, shrunk(recipe, KIMG)))
            write_history(self.home / f"{recipe}.csv", whole.history)
            self.expected[recipe] = (weights(whole), (self.home / f"{recipe}.csv").read_bytes())
        return self.expected[recipe]


def main() -> None:
    """Disturb until the time is up; exit 1 at the first loss."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=30.0)
    arguments.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options = arguments.parse_args()
    chance = random.Random(options.seed)
    torch.set_num_threads(1)
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "DVC_", "GANOPS_"))]:
        del os.environ[name]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tiny_training", "torch._dynamo", "soak_registry", "soak_records", "mlflow.pyfunc"])
    faults: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    print(f"seed {options.seed}, {options.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as services:
        home, database = Path(folder), Path(folder) / "empty.db"
        connect(f"sqlite:///{database}")
        trials: dict[str, Trials] = {
            "training": TrainingTrials(home / "training", chance, context),
            "registry": RegistryTrials(home / "registry", database, chance, context),
        }
        if "records" in options.kinds:
            trials["records"] = records = RecordTrials(home / "records", database, chance, context)
            services.callback(records.close)
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end:
            kind = chance.choice(options.kinds)
            try:
                faults += trials[kind].run(sum(ended.values()))
            except AssertionError as error:
                sys.exit(f"LOST: {kind}: {error} (seed {options.seed}, after {dict(ended)})")
            ended[kind] += 1
            print(f"nothing lost in {dict(ended)}; so far {dict(faults)}", flush=True)
    print(f"nothing lost: {dict(ended)}; {sum(faults.values())} starts and faults: {dict(sorted(faults.items()))}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    main()
