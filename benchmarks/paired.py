"""A recipe of image-to-image translation against the same network with L1 alone, against identity and real images.

python -m benchmarks.paired RECIPE FOLDER [--source mnist] [--home DATASETS] [--options JSON] [--sigma 0.6]
                            [--kimg 30] [--metrics pairs own-truth] [--quick] [--pictures OUT.png]

--quick: 5,000 real and 1,000 generated images, and a classifier that was shown 40,000.

Everything lies in FOLDER and is not made again: a call that was ended resumes. The reader is a classifier
trained on real images; its accuracy on outputs is the FCN score of pix2pix (arXiv:1611.07004, section 3.2).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from ganops.data.fields.pictures import save_png
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import read_packed
from ganops.data.prepare import prepare
from ganops.errors import DataError
from ganops.evaluation.auto import resolve_features
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.evaluate import evaluate_game, open_evaluator
from ganops.evaluation.held_out import held_out, task_rows
from ganops.evaluation.reference import make_reference
from ganops.evaluation.rows import baseline_rows, real_row
from ganops.evaluation.validation_metric import ValidationMetric, load_validation_metric
from ganops.games.build import outline_game, recipe_spec
from ganops.games.saved import DESCRIPTION, SavedModel, load_game, save_game
from ganops.params import ClassifierParams, DataParams, EvaluateParams, TrainParams
from ganops.progress import progress
from ganops.recipe import Recipe, load_recipe
from ganops.training.interruption import watch_for_interruption
from ganops.training.job import TrainingJob

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
METRICS = ("fid", "label-accuracy", "own-truth", "pairs", "perceptual", "segmentation")
COLUMNS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "perceptual_efficientnet-lite0": "perceptual",
    "fid_classifier": "FID (classifier)",
    "fid_efficientnet-lite0": "FID (EfficientNet-Lite0)",
    "label_accuracy": "reader's accuracy",
    "pixel_accuracy": "reader's pixel accuracy",
    "miou": "mIoU",
    "own_truth": "nearest to own truth",
}
SEED = 0


def with_l1_alone(recipe: Recipe) -> Recipe:
    """The same generator, data, learning rate and budget without a discriminator."""
    return recipe.model_copy(
        update={
            "game": {"kind": "regression", **{key: recipe.game[key] for key in ("source", "target")}},
            "networks": {"generator": recipe.networks["generator"]},
            "optimizers": {"generator": recipe.optimizers["generator"]},
        }
    )


def prepared(folder: Path, data: DataParams) -> Manifest:
    """The manifest of the packed data, made where they are missing."""
    try:
        return read_manifest(folder)
    except DataError:
        return prepare(data, folder)


def trained(name: str, recipe: Recipe, folder: Path, evaluate: EvaluateParams) -> Path:
    """The folder of the model, trained where it is missing."""
    out, data = folder / "models" / name, folder / "data"
    if (out / DESCRIPTION).is_file():
        return out
    manifest = read_manifest(data)
    settings = TrainParams(validate_kimg=5, sample_images=16, sample_times=1)
    job = TrainingJob(name, recipe, settings, SEED, manifest.spec, manifest.digest)
    game = job.new_game()
    found = load_validation_metric(
        *(game, job.spec, folder / "reference", data), samples=1000, seed=SEED, batch_size=evaluate.batch_size
    )
    trainer = job.build(
        [read_packed(data, "train")],
        folder / "checkpoints" / name,
        game=game,
        validation=found if isinstance(found, ValidationMetric) else None,
        held_out=held_out(data, job.spec, "validation"),
    )
    images, begin = trainer.plan.steps * trainer.plan.images_per_step, time.perf_counter()
    with watch_for_interruption() as interruption, progress(name, images, "images") as bar:
        trainer.run(interruption, bar)
    print(f"{name}: {images:,} images in {time.perf_counter() - begin:.0f} s", flush=True)
    save_game(out, trainer.game, SavedModel(name=name, recipe=recipe, spec=job.spec), trainer.weights())
    return out


def table(rows: dict[str, dict[str, Estimate]]) -> str:
    """Markdown."""
    keys = [key for key in COLUMNS if any(key in row for row in rows.values())]
    lines = ["| " + " | ".join(["", *(COLUMNS[key] for key in keys)]) + " |", "| --- " * (len(keys) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"{row[key].value:.4g}" if key in row else "-" for key in keys]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Train both, score all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", default="mnist")
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--size", type=int, default=None)
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--sigma", type=float, default=None, help="of noise, for recipes that start from it")
    parser.add_argument("--kimg", type=float, default=None, help="another budget")
    parser.add_argument("--metrics", nargs="+", default=METRICS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pictures", type=Path, default=None)
    asked = parser.parse_args()
    recipe, folder = load_recipe(RECIPES / f"{asked.recipe}.yaml"), asked.folder
    if asked.sigma is not None:
        recipe = recipe.model_copy(update={"derived": {"source": recipe.derived["source"] | {"sigma": asked.sigma}}})
    if asked.kimg is not None:
        recipe = recipe.model_copy(update={"budget_kimg": asked.kimg})
    data: dict[str, Any] = {"source": asked.source, "home": asked.home, "options": asked.options}
    manifest = prepared(folder / "data", DataParams(**data, **({"image_size": asked.size} if asked.size else {})))
    metrics: dict[str, dict[str, Any]] = {name: {} for name in asked.metrics}
    less: dict[str, Any] = {"real_samples": 5000, "samples": 1000, "classifier": ClassifierParams(max_kimg=40)}
    asked_for = EvaluateParams(features="auto", metrics=metrics, **(less if asked.quick else {}))
    evaluate = resolve_features(asked_for, manifest.spec, manifest.counts)
    if not (folder / "reference" / "reference.json").is_file():
        make_reference(folder / "data", evaluate, folder / "reference", SEED)
    evaluator = open_evaluator(folder / "reference", folder / "data", evaluate, SEED)
    spec = recipe_spec(recipe, manifest.spec)
    game = outline_game(recipe, spec)
    rows = {}
    held = task_rows(game.task, folder / "data", spec, evaluate.samples)
    for row in (real_row(evaluator), *baseline_rows(evaluator, game.task, spec, held)):
        if row is not None:
            rows[row.title] = dict(row.scores)
    for name, each in ((f"{asked.recipe}-l1", with_l1_alone(recipe)), (asked.recipe, recipe)):
        model = trained(name, each, folder, evaluate)
        found = evaluate_game(load_game(model), folder / "reference", folder / "data", evaluate, SEED, spec=spec)
        rows[name] = dict(found.scores)
    if asked.pictures is not None:
        save_png(found.pictures["pairs"].image, asked.pictures)
        save_png(found.pictures["pairs-worst"].image, asked.pictures.with_stem(f"{asked.pictures.stem}-worst"))
    print(table(rows))


if __name__ == "__main__":
    main()
