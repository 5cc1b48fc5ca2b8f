"""A recipe of image-to-image translation against cheap answers: identity, bicubic, the same network with L1 alone.

python -m benchmarks.paired RECIPE FOLDER [--data source=mnist home=DATASETS] [--set derived.source.sigma=0.6]
                            [--metrics pairs own-truth] [--quick] [--pictures OUT.png]

--data: settings of the section `data` of params.yaml. --set: of the recipe. --quick: 5,000 real and 1,000 generated
images, of real ones fewer without the metric fid, and a classifier that was shown 40,000.

Everything lies in FOLDER and is not made again: a call that was ended resumes. Models are named by the digest of their
settings. The reader is a classifier trained on real images; its accuracy on outputs is the FCN score of pix2pix
(arXiv:1611.07004, section 3.2). Seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from benchmarks.side_by_side import side_by_side
from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import read_packed
from ganops.data.prepare import prepare
from ganops.errors import DataError
from ganops.evaluation.auto import resolve_features
from ganops.evaluation.baselines import alternatives_of, baselines_of
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.evaluate import evaluate_game, open_evaluator
from ganops.evaluation.extractors.classifier import Classifier
from ganops.evaluation.held_out import held_out, task_rows
from ganops.evaluation.reference import make_reference
from ganops.evaluation.rows import baseline_rows, real_row
from ganops.evaluation.validation_metric import ValidationMetric, load_validation_metric
from ganops.games.build import recipe_spec
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, sample
from ganops.games.saved import DESCRIPTION, SavedModel, load_game, save_game
from ganops.params import ClassifierParams, DataParams, EvaluateParams, TrainParams
from ganops.progress import progress
from ganops.recipe import Recipe
from ganops.settings import parse_yaml, read_yaml, validate
from ganops.training.interruption import watch_for_interruption
from ganops.training.job import TrainingJob

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
METRICS = ("consistency", "fid", "label-accuracy", "own-truth", "pairs", "perceptual", "segmentation")
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
    "consistency": "consistency, dB",
}
REFERENCE = "reference/reference.json"
SEED = 0
SHOWN = 10
UNUSED = 100  # real images whose features are computed where no metric needs them


def changed(values: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Nested settings with some replaced, each `outer.inner=VALUE` in YAML."""
    found = dict(values)
    for assignment in assignments:
        key, _, value = assignment.partition("=")
        first, _, rest = key.partition(".")
        found[first] = changed(found.get(first) or {}, [f"{rest}={value}"]) if rest else parse_yaml(value)
    return found


def recipe_with(name: str, assignments: Sequence[str]) -> Recipe:
    """A shipped recipe with some settings replaced."""
    file = RECIPES / f"{name}.yaml"
    return validate(Recipe, changed(read_yaml(file), assignments), str(file))


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


def trained(name: str, recipe: Recipe, folder: Path, batch_size: int) -> Path:
    """The folder of the model, trained where it is missing; validated where there is a reference."""
    made, data = f"{name}-{recipe.digest()[:8]}", folder / "data"
    out = folder / "models" / made
    if (out / DESCRIPTION).is_file():
        return out
    manifest = read_manifest(data)
    settings = TrainParams(validate_kimg=5, sample_images=16, sample_times=1)
    job = TrainingJob(name, recipe, settings, SEED, manifest.spec, manifest.digest)
    game = job.new_game()
    found = None
    if (folder / REFERENCE).is_file():
        found = load_validation_metric(
            *(game, job.spec, folder / "reference", data), samples=1000, seed=SEED, batch_size=batch_size
        )
    trainer = job.build(
        [read_packed(data, "train")],
        folder / "checkpoints" / made,
        game=game,
        validation=found if isinstance(found, ValidationMetric) else None,
        held_out=held_out(data, job.spec, "validation"),
    )
    images, begin = trainer.plan.steps * trainer.plan.images_per_step, time.process_time()
    with watch_for_interruption() as interruption, progress(name, images, "images") as bar:
        trainer.run(interruption, bar)
    print(f"{made}: {images:,} images in {time.process_time() - begin:.0f} s of the processor", flush=True)
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


def answers(models: Mapping[str, Game], held: HeldOut) -> dict[str, Tensor]:
    """(SHOWN, C, H, W) images by name: sources, what baselines and models make of them, and the truth."""
    *_, last = models.values()
    (source, given), *_ = last.task.inputs.items()
    (target, wanted), *_ = last.task.outputs.items()
    assert isinstance(wanted, ImageField), "these recipes make images"
    made = {name: next(sample(model, SHOWN, SEED, held_out=held)) for name, model in models.items()}
    first = made[next(reversed(made))]
    assert first.inputs is not None, "they make them from pictures"
    assert first.truth is not None, "the data are pairs"
    sources = given.convert(first.inputs[source], wanted.model_copy(update={"size": given.shape[-1]}))
    rivals = {**baselines_of(last.task), **alternatives_of(last)}
    return {
        "source": F.interpolate(sources, wanted.shape[1:], mode="nearest"),
        **{name: each.answer(first.inputs)[target] for name, each in rivals.items() if name != "identity"},
        **{name: each.outputs[target] for name, each in made.items()},
        "truth": first.truth[target],
    }


def main() -> None:
    """Train both, score all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", nargs="*", default=["source=mnist"], help="settings of the section data")
    parser.add_argument("--set", nargs="*", default=[], help="settings of the recipe")
    parser.add_argument("--metrics", nargs="+", default=METRICS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pictures", type=Path, default=None)
    asked = parser.parse_args()
    recipe, folder = recipe_with(asked.recipe, asked.set), asked.folder
    manifest = prepared(folder / "data", validate(DataParams, changed({}, asked.data), "--data"))
    metrics: dict[str, dict[str, Any]] = {name: {} for name in asked.metrics}
    less: dict[str, Any] = {"real_samples": 5000, "samples": 1000, "classifier": ClassifierParams(max_kimg=40)}
    if "fid" not in metrics:
        less |= {"real_samples": UNUSED}
    asked_for = EvaluateParams(features="auto", metrics=metrics, **(less if asked.quick else {}))
    evaluate = resolve_features(asked_for, manifest.spec, manifest.counts)
    if not (folder / REFERENCE).is_file():
        make_reference(folder / "data", evaluate, folder / "reference", SEED)
    evaluator = open_evaluator(folder / "reference", folder / "data", evaluate, SEED)
    spec = recipe_spec(recipe, manifest.spec)
    model = load_game(trained(asked.recipe, recipe, folder, evaluate.batch_size))
    held, rows = task_rows(model.task, folder / "data", spec, evaluate.samples), dict[str, dict[str, Estimate]]()
    for row in (real_row(evaluator), *baseline_rows(evaluator, model.task, spec, held, model)):
        if row is not None:
            rows[row.title] = dict(row.scores)
    models = {asked.recipe: model}
    if "generator" in recipe.optimizers and not model.alternatives():
        alone = trained(f"{asked.recipe}-l1", with_l1_alone(recipe), folder, evaluate.batch_size)
        models = {f"{asked.recipe}-l1": load_game(alone), **models}
    for name, each in models.items():
        found = evaluate_game(each, folder / "reference", folder / "data", evaluate, SEED, spec=spec)
        rows[name] = dict(found.scores)
    if asked.pictures is not None:
        assert held is not None, "inputs of these recipes are images"
        side_by_side(answers(models, held), asked.pictures)
    if isinstance(evaluator.classifier, Classifier):
        print(f"the reader names {evaluator.classifier.description.accuracy:.1%} of real test images")
    print(table(rows))


if __name__ == "__main__":
    main()
