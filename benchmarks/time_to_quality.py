"""FID after a fixed time of training: ours against the usual tutorial loop, on the same data and machine.

python -m benchmarks.time_to_quality --prepared data/prepared --reference results/reference
    [--recipe dcgan] [--minutes 2 5 10] [--threads 1] [--grids FOLDER] [--quick] [--json FILE]

Both sides have the same networks, batch size and number of threads; the plain loop's two loader processes come on top.
The plain loop has the learning rates of the official DCGAN example, ours those of its recipe. Minutes on a CPU are the
training process's own processor time, which other work on the machine changes little; on a GPU they pass on the wall.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.rows import Row, report
from benchmarks.trainers import make_trainer
from benchmarks.tutorial_loop import TutorialLoop, loader_batches
from benchmarks.tutorial_networks import tutorial_networks
from ganops.data.fields.pictures import image_grid, save_png
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.evaluate import evaluate_game
from ganops.evaluation.metric_names import base_of
from ganops.evaluation.reference import load_reference
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.sampling import sample_outputs
from ganops.params import EvaluateParams, TrainParams
from ganops.recipe import Recipe, load_recipe
from ganops.training.randomness import seed_all

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
SLICE = 20  # steps between looks at the clock


def now() -> float:
    """Seconds: of this process's work on a CPU; where a GPU works, of the wall."""
    return time.monotonic() if torch.cuda.is_available() else time.process_time()


def train_ours(recipe: Recipe, rows: Rows, spec: DataSpec, seconds: float, seed: int) -> tuple[Game, float]:
    """Our training until the time is up: the averaged game and how many kimg it has seen. Start-up counts."""
    begin = now()
    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(recipe, rows, spec, TrainParams(compile="never"), Path(folder), seed=seed)
        while now() - begin < seconds:
            for _ in range(SLICE):
                trainer.run_step()
    return trainer.ema.game, trainer.plan.kimg(trainer.step)


def train_tutorial(recipe: Recipe, rows: Rows, spec: DataSpec, seconds: float, seed: int) -> tuple[Game, float]:
    """The plain loop over a DataLoader until the time is up. Start-up counts."""
    begin = now()
    seed_all(seed)
    game = build_game(recipe, spec)
    generator, discriminator = tutorial_networks(recipe, spec)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loop = TutorialLoop(recipe, generator, discriminator, device)
    batches, steps = loader_batches(rows["image"], recipe.batch_size, workers=2), 0
    while now() - begin < seconds:
        loop.run(batches, SLICE)
        steps += SLICE
    sampled = game.get_submodule("generator")  # the same layers in the same order, under other names
    sampled.load_state_dict(dict(zip(sampled.state_dict(), generator.state_dict().values(), strict=True)))
    return game, steps * recipe.batch_size * loop.critic_turns / 1000


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="what the prepare stage wrote")
    arguments.add_argument("--reference", type=Path, default=Path("results/reference"), help="of the reference stage")
    arguments.add_argument("--recipe", default="dcgan")
    arguments.add_argument("--minutes", type=float, nargs="+", default=[2.0, 5.0, 10.0])
    arguments.add_argument("--samples", type=int, default=10_000)
    arguments.add_argument("--threads", type=int, default=1, help="of both sides")
    arguments.add_argument("--grids", type=Path, help="folder for a grid of samples of each")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--quick", action="store_true", help="a quarter of a minute each, 2,000 samples")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    options = arguments.parse_args()
    minutes, samples = ([0.25], 2000) if options.quick else (options.minutes, options.samples)
    data, spec = read_packed(options.prepared, "train"), read_manifest(options.prepared).spec
    recipe = load_recipe(RECIPES / f"{options.recipe}.yaml")
    torch.set_num_threads(options.threads)
    features = load_reference(options.reference).description.features
    protocol = EvaluateParams.model_validate({"samples": samples, "features": features})
    rows: list[Row] = []
    for budget in minutes:
        scores: dict[str, float] = {}
        for name, train in (("ours", train_ours), ("plain loop", train_tutorial)):
            game, kimg = train(recipe, data, spec, budget * 60, options.seed)
            found = evaluate_game(game, options.reference, options.prepared, protocol, options.seed)
            key = next(key for key in found.scores if base_of(key) == "fid")
            scores[name] = found.scores[key].value
            if options.grids is not None:
                images = sample_outputs(game, 64, options.seed)["image"]
                save_png(image_grid(images, columns=8), options.grids / f"{name.replace(' ', '-')}-{budget:g}min.png")
            print(f"{budget:g} min  {name:<12} {kimg:8.1f} kimg  FID {scores[name]:.3f}", flush=True)
        ours, theirs = scores["ours"], scores["plain loop"]
        name = f"{options.recipe}, {budget:g} minutes"
        rows.append(
            Row(
                name,
                ours,
                "FID",
                f"plain loop, DataLoader, float32, {options.threads} thread(s)",
                theirs,
                theirs / ours,
                3.0,
            )
        )
    report(rows, options.json)


if __name__ == "__main__":
    main()
