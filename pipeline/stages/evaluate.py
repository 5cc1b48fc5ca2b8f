"""Stage evaluate@<recipe>: scores with their protocol, and the pictures a person judges a model by."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import torch

from ganops.atomic import atomic_path, write_json
from ganops.data.convert import convert
from ganops.data.manifest import read_manifest
from ganops.data.packed import PackedImages, are_vectors, read_packed
from ganops.errors import EvaluationError
from ganops.evaluation.evaluate import Evaluation, evaluate_game
from ganops.evaluation.latent_interpolation import latent_interpolations
from ganops.evaluation.protocol import protocol_of
from ganops.evaluation.reference import load_reference
from ganops.games.game import Game
from ganops.games.saved import load_description, load_game
from ganops.params import Params, load_params
from ganops.recipe import find_recipe, load_recipe
from ganops.reporting.animation import animate
from ganops.reporting.curves import plot_curves
from ganops.reporting.figures import draw_figures
from ganops.reporting.grids import save_png
from ganops.reporting.neighbours import neighbour_grid
from ganops.reporting.samples import draw_samples
from ganops.tracking.run import resume_run
from pipeline.stages.entry import run_stage
from pipeline.stages.results import PARAMS, PREPARED, RECIPES, REFERENCE, evaluate_folder, run_file, train_folder

WALKS, STEPS = 8, 10


def main(recipe: str) -> None:
    """Score the trained model of `recipe`, draw it, and add both to its MLflow run."""
    params, out = load_params(PARAMS), evaluate_folder(recipe)
    rules = load_recipe(find_recipe(recipe, RECIPES))
    _draw_training(recipe, out)
    metrics = _score(recipe, params, out)
    protocol = json.loads((out / "protocol.json").read_text(encoding="utf-8"))
    print(f"evaluate {recipe}: " + ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))
    with resume_run(run_file(recipe), params=params, recipe=rules, manifest=read_manifest(PREPARED)) as run:
        run.log_scores(metrics, protocol)
        for picture in sorted(file for file in out.iterdir() if file.suffix in (".png", ".webp", ".csv")):
            run.log_file(picture, "evaluate")


def _score(recipe: str, params: Params, out: Path) -> dict[str, float]:
    """Write metrics.json, protocol.json and the pictures made of generated images; the metrics."""
    game = load_game(train_folder(recipe) / "model")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = evaluate_game(
            game, REFERENCE, PREPARED, params.evaluate, params.seed, device, label=f"evaluate {recipe}"
        )
    except EvaluationError as error:
        if not _sick(recipe):
            raise
        # A sick model without scores comes last on the leaderboard; it must not keep the others from theirs.
        print(f"evaluate {recipe}: no scores, its training was sick: {error}")
        metrics, protocol = dict[str, float](), protocol_of(load_reference(REFERENCE), params.evaluate, params.seed)
        shutil.copyfile(sorted((train_folder(recipe) / "samples").glob("step-*.png"))[-1], out / "samples.png")
    else:
        metrics, protocol = found.metrics(), found.protocol
        _draw_images(found, out)
        _write_classes(found, out / "classes.csv")
        save_png(
            draw_samples(latent_interpolations(game, WALKS, STEPS, params.seed), columns=STEPS),
            out / "interpolations.png",
        )
        _draw_exhibits(game, recipe, params.seed, out)
    write_json(out / "metrics.json", metrics)
    write_json(out / "protocol.json", protocol.model_dump(mode="json") | {"digest": protocol.digest()})
    return metrics


def _sick(recipe: str) -> bool:
    facts = json.loads((train_folder(recipe) / "training.json").read_text(encoding="utf-8"))
    return bool(facts.get("sick"))


def _write_classes(found: Evaluation, path: Path) -> None:
    """The table by class, where there is one; an empty field where a class has too few images."""
    if not found.classes:
        return
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "real_share", "generated_share", "fid", "precision", "coverage"])
        for row in found.classes:
            estimates = [None if each is None else each.value for each in (row.fid, row.precision, row.coverage)]
            numbers = (row.real_share, row.generated_share, *estimates)
            writer.writerow([row.name, *("" if number is None else f"{number:.6g}" for number in numbers)])


def _draw_images(found: Evaluation, out: Path) -> None:
    save_png(draw_samples(found.samples), out / "samples.png")
    train = read_packed(PREPARED, "train").images[found.closest.rows]
    if are_vectors(train):
        return  # of two points that lie as close together as these, a picture says nothing
    save_png(neighbour_grid(found.closest.images, train, found.closest.distances), out / "neighbours.png")


def _draw_exhibits(game: Game, recipe: str, seed: int, out: Path) -> None:
    """What the game shows of itself; of real images those it has not seen in training, where there are such."""
    real = read_packed(PREPARED, "test") or read_packed(PREPARED, "train")
    shape = load_description(train_folder(recipe) / "model").spec.shape
    for name, picture in draw_figures(game, PackedImages(convert(real.images, shape), real.labels), seed).items():
        save_png(picture, out / f"{name}.png")


def _draw_training(recipe: str, out: Path) -> None:
    trained = train_folder(recipe)
    out.mkdir(parents=True, exist_ok=True)
    plot_curves(trained / "history.csv", out / "curves.png")
    animate(trained / "samples", out / "training.webp")


if __name__ == "__main__":
    run_stage(main)
