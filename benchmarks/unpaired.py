"""A recipe of two domains without pairs, against the sources themselves and real images of each target domain.

python -m benchmarks.unpaired RECIPE FOLDER [--data JSON] [--set KEY=VALUE ...] [--name NAME] [--seed 0]
                              [--metrics fid label-accuracy cycle] [--features classifier] [--images 5000]
                              [--samples 2000] [--pictures OUT.png] [--rows 3]

--data: the section `data` of params.yaml, which counts when FOLDER is new. --set: other settings of the recipe, as in
`--set networks.a_to_b.halvings=1`. --features: what FID and KID are measured in. --images: real ones they compare with.

Data, references and models lie in FOLDER and are not made again: a call that was ended resumes. Of each direction the
first --samples test sources are translated, compared with training images of the target domain, and read by a
classifier that was trained on these, all on one thread; seconds are processor time.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from PIL import Image

from benchmarks.paired import prepared, recipe_with
from ganops.atomic import write_json
from ganops.data.fields.pictures import image_grid, save_png
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_domains
from ganops.data.rows import Rows
from ganops.evaluation.directions import domain_folder
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.evaluate import evaluate_game, open_evaluator
from ganops.evaluation.held_out import held_out, task_rows
from ganops.evaluation.reference import make_reference
from ganops.evaluation.rows import baseline_rows, real_row
from ganops.games.game import Game
from ganops.games.saved import DESCRIPTION, SavedModel, load_game, save_game
from ganops.params import DataParams, EvaluateParams, TrainParams
from ganops.progress import progress
from ganops.recipe import Recipe
from ganops.training.interruption import watch_for_interruption
from ganops.training.job import TrainingJob

METRICS = ("fid", "label-accuracy", "cycle")
COLUMNS, GAP = 10, 12  # of each direction in a picture; pixels between them
Table = dict[str, dict[str, Estimate]]


def referenced(game: Game, folder: Path, evaluate: EvaluateParams) -> None:
    """Make the reference of each target domain where it is missing."""
    spec = read_manifest(folder / "data").spec
    for task in game.tasks.values():
        reference, data = (domain_folder(folder / part, task, spec) for part in ("reference", "data"))
        if not (reference / "reference.json").is_file():
            make_reference(data, evaluate, reference, seed=0)


def trained(name: str, recipe: Recipe, folder: Path, seed: int) -> Path:
    """The folder of the model, trained where it is missing; its last weights, averaged as the recipe says."""
    out, data = folder / "models" / name, folder / "data"
    if (out / DESCRIPTION).is_file():
        return out
    manifest = read_manifest(data)
    job = TrainingJob(name, recipe, TrainParams(sample_images=16, sample_times=1), seed, manifest.spec, manifest.digest)
    trainer = job.build(
        read_domains(data, "train", manifest.spec).values(),
        folder / "checkpoints" / name,
        held_out=held_out(data, job.spec, "validation"),
    )
    images, begin = trainer.plan.steps * trainer.plan.images_per_step, time.process_time()
    with watch_for_interruption() as interruption, progress(name, images, "images") as bar:
        trainer.run(interruption, bar)
    save_game(out, trainer.game, SavedModel(name=name, recipe=recipe, spec=job.spec), trainer.weights())
    write_json(out / "cost.json", {"kimg": images / 1000, "seconds_of_last_call": time.process_time() - begin})
    return out


def baselines(game: Game, folder: Path, evaluate: EvaluateParams) -> Table:
    """Real images of both domains, and the sources of both directions as outputs."""
    spec, rows = read_manifest(folder / "data").spec, Table()
    for index, (name, task) in enumerate(game.tasks.items()):
        real, data = (domain_folder(folder / part, task, spec) for part in ("reference", "data"))
        evaluator = open_evaluator(real, data, evaluate, 0, inputs=folder / "data")
        held = task_rows(task, folder / "data", spec, evaluate.samples)
        for row in (real_row(evaluator), *baseline_rows(evaluator, task, spec, held)):
            if row is not None:
                prefix = f"{name}/" if index else ""
                title = "real" if row.name.startswith("real") else row.name
                rows.setdefault(title, {}).update({prefix + key: value for key, value in row.scores.items()})
    return rows


def table(rows: Table) -> str:
    """Markdown: a column for each score of each direction."""
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    lines = ["| " + " | ".join(["", *keys]) + " |", "| --- " * (len(keys) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"{row[key].value:.4g} ± {row[key].error:.2g}" if key in row else "-" for key in keys]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def draw(game: Game, folder: Path, rows: int, out: Path) -> None:
    """The figures of the first test sources of each direction, side by side."""
    spec = read_manifest(folder / "data").spec
    sources = held_out(folder / "data", spec, "evaluation", rows * COLUMNS).rows
    batch = Rows({name: field.to_model(sources[name]) for name, field in spec.fields.items()})
    with torch.no_grad():
        figures = game.eval().figures(batch, batch).values()
    grids = [image_grid(each.field.to_storage(each.modelled), each.columns) for each in figures]
    canvas = Image.new(grids[0].mode, (sum(grid.width + GAP for grid in grids) - GAP, grids[0].height), "white")
    for index, grid in enumerate(grids):
        canvas.paste(grid, (index * (grid.width + GAP), 0))
    save_png(canvas, out)


def main() -> None:
    """Train, score, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=json.loads, default={"source": "domains"})
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", dest="changes")
    parser.add_argument("--name", default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--metrics", nargs="+", default=METRICS)
    parser.add_argument("--features", default="classifier")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--pictures", type=Path, default=None)
    parser.add_argument("--rows", type=int, default=1, help="of sources in the picture")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    evaluate = EvaluateParams(
        features=asked.features,
        real_samples=asked.images,
        samples=asked.samples,
        pairwise_samples=asked.samples,
        metrics={name: {} for name in asked.metrics},
    )
    prepared(asked.folder / "data", DataParams(**asked.data))
    recipe, name = recipe_with(asked.recipe, asked.changes), asked.name or asked.recipe
    model = trained(name, recipe, asked.folder, asked.seed)
    game = load_game(model)
    referenced(game, asked.folder, evaluate)
    rows = baselines(game, asked.folder, evaluate)
    rows[name] = dict(evaluate_game(game, asked.folder / "reference", asked.folder / "data", evaluate, 0).scores)
    if asked.pictures is not None:
        draw(game, asked.folder, asked.rows, asked.pictures)
    print((model / "cost.json").read_text(encoding="utf-8"))
    print(table(rows))


if __name__ == "__main__":
    main()
