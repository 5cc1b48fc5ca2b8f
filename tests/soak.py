"""Disturb small trainings as long as asked, in every way a machine can, and demand the undisturbed result each time.

python tests/soak.py [--minutes 30] [--seed N]
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from safetensors.torch import load_file
from tiny_training import make_trainer, run, shrunk, train_to_the_end, weights

from ganops.errors import TrainingError
from ganops.training.history import write_history
from ganops.training.interruption import watch_for_interruption
from ganops.training.lock import exclusive

# One for each kind of game, and for each kind of state that a checkpoint has to hold.
RECIPES = (
    *("mlp", "dcgan", "wgan-gp", "cgan", "acgan", "infogan", "bigan"),
    *("unrolled", "pacgan", "fastgan", "stylegan2-ada"),
)
KIMG = 1.2
FAULTS = ("kill", "terminate", "cut checkpoint", "flip a byte", "full disk", "two at once", "none")


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


def main() -> None:
    """Disturb until the time is up; exit 1 at the first lost or changed result."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=30.0)
    arguments.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = arguments.parse_args()
    chance, end = random.Random(options.seed), time.monotonic() + 60 * options.minutes
    torch.set_num_threads(1)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tiny_training", "torch._dynamo"])
    faults: Counter[str] = Counter()
    finished = 0
    print(f"seed {options.seed}, {options.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory() as home:
        expected = {}
        for recipe in RECIPES:
            whole = run(make_trainer(Path(home) / "whole" / recipe, shrunk(recipe, KIMG)))
            write_history(Path(home) / f"{recipe}.csv", whole.history)
            expected[recipe] = (weights(whole), (Path(home) / f"{recipe}.csv").read_bytes())
        while time.monotonic() < end:
            recipe, folder = chance.choice(RECIPES), Path(home) / "disturbed" / str(finished)
            folder.mkdir(parents=True)

            def start(largest_file: int | None, folder: Path = folder, recipe: str = recipe) -> BaseProcess:
                child = context.Process(target=train, args=(folder, recipe, largest_file))
                child.start()
                return child

            left = chance.randint(2, 12)
            while not (folder / "weights.safetensors").exists():
                fault = chance.choice(FAULTS[:-1]) if left > 0 else "none"
                left -= 1
                disturb(chance, fault, folder, start)
                faults[fault] += 1
            found = load_file(folder / "weights.safetensors")
            tensors, history = expected[recipe]
            lost = [name for name in tensors if not torch.equal(tensors[name], found[name])]
            if lost or (folder / "history.csv").read_bytes() != history:
                sys.exit(f"LOST: {recipe} after {dict(faults)}: {lost or 'history.csv'} (seed {options.seed})")
            shutil.rmtree(folder)
            finished += 1
            print(f"{finished} trainings ended as the undisturbed ones; so far {dict(faults)}", flush=True)
    print(f"nothing lost: {finished} trainings, {sum(faults.values())} starts, faults {dict(faults)}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    main()
