"""Stage evaluate@<recipe>: scores with their protocol, and the pictures a person judges a model by."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ganops.atomic import atomic_path, write_json
from ganops.data.fields.pictures import save_png
from ganops.data.manifest import read_manifest
from ganops.data.spec import DataSpec
from ganops.data.unaltered import require_unaltered
from ganops.devices import find_device
from ganops.errors import EvaluationError
from ganops.evaluation.directions import domain_folder, joint_scores
from ganops.evaluation.evaluate import open_evaluator, score_game
from ganops.evaluation.evaluator import Evaluation
from ganops.evaluation.held_out import held_out, task_rows
from ganops.evaluation.metric import Picture, Table
from ganops.evaluation.pictures import interpolations_picture, neighbours_picture, samples_picture
from ganops.evaluation.rows import ScoredRow, baseline_rows
from ganops.evaluation.scores import NO_SCORES, Scores
from ganops.games.game import Game
from ganops.games.saved import load_description, load_game
from ganops.malloc import disable_malloc_trim
from ganops.params import Params
from ganops.recipe import find_recipe, load_recipe
from ganops.reporting.animation import animate
from ganops.reporting.contents import CONTENTS, Contents, PictureEntry, TableEntry
from ganops.reporting.curves import plot_curves
from ganops.reporting.figures import draw_figures
from ganops.reporting.trade_off import plot_trade_off
from ganops.resolved import load_params
from ganops.tracking.run import resume_run
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage

Shown = TypeVar("Shown", Picture, Table)

# MLflow lists the files of a run by name: these are what a person looks at first.
SEEN_FIRST = {
    "1-curves.png": "curves.png",
    "2-samples.png": "samples.png",
    "2-pairs.png": "pairs.png",
    "3-scores.json": "scores.json",
}
FIGURE_ROWS = 1000  # test rows, at most, that a game's figures may be made of


def main(recipe: str) -> None:
    """Score the trained model of `recipe`, draw it, and add both to its MLflow run."""
    disable_malloc_trim()
    params, out = load_params(WORKSPACE.params), WORKSPACE.evaluated(recipe)
    require_unaltered(WORKSPACE.prepared)
    rules = load_recipe(find_recipe(recipe, WORKSPACE.recipes))
    shutil.rmtree(out, ignore_errors=True)
    scores = _evaluate(recipe, params, out)
    print(f"evaluate {recipe}: " + ", ".join(f"{key} {estimate.value:.4g}" for key, estimate in scores.items()))
    manifest, run_file = read_manifest(WORKSPACE.prepared), WORKSPACE.run_file(recipe)
    with resume_run(run_file, params=params, recipe=rules, manifest=manifest) as run:
        run.log_scores(scores)
        for name, file in ((name, out / file) for name, file in SEEN_FIRST.items()):
            if file.exists():
                run.log_file(file, name=name)
        for file in sorted(file for file in out.iterdir() if file.suffix in (".png", ".webp", ".csv")):
            run.log_file(file, "evaluate")


def _evaluate(recipe: str, params: Params, out: Path) -> Scores:
    """Write the scores of the model and of the baselines of its tasks, and everything to be looked at."""
    folder = WORKSPACE.model(recipe)
    game, spec = load_game(folder), load_description(folder).spec
    try:
        tasks = {name: _evaluate_task(recipe, game, name, spec, params) for name in game.tasks}
    except EvaluationError as error:
        if not _unhealthy(recipe):
            raise
        # An unhealthy model without scores comes last on the leaderboard; it must not keep the others from theirs.
        print(f"evaluate {recipe}: no scores, its training was unhealthy: {error}")
        scores, pictures, tables = NO_SCORES, _last_samples(recipe, out), list[TableEntry]()
    else:
        scores = joint_scores({name: each.found.scores for name, each in tasks.items()})
        drawn, found = dict[str, Picture](), dict[str, Table]()
        for name, each in tasks.items():
            drawn |= _named(each.pictures, name, game)
            found |= _named(each.found.tables, name, game)
        first = next(iter(tasks.values()))
        points = {recipe: first.found.scores} | {row.name: row.scores for row in first.baselines}
        if first.baselines and (plot := plot_trade_off(points, recipe)) is not None:
            drawn["perception-distortion"] = plot
        figures = held_out(WORKSPACE.prepared, spec, "evaluation", FIGURE_ROWS)
        pictures = _draw(drawn | draw_figures(game, figures, params.seed), out)
        tables = _write_tables(found, out)
        _write_baselines({name: each.baselines for name, each in tasks.items()}, out)
    Contents(pictures=(*pictures, *_draw_training(recipe, out)), tables=tuple(tables)).write(out / CONTENTS)
    scores.write(out / "scores.json")
    return scores


@dataclass(frozen=True)
class TaskEvaluation:
    """Of one task: scores and tables of the model, pictures, scores of its baselines."""

    found: Evaluation
    pictures: Mapping[str, Picture]
    baselines: Sequence[ScoredRow]


def _evaluate_task(recipe: str, game: Game, name: str, spec: DataSpec, params: Params) -> TaskEvaluation:
    task = game.tasks[name]
    reference, data = (domain_folder(each, task, spec) for each in (WORKSPACE.reference, WORKSPACE.prepared))
    device = find_device()
    evaluator = open_evaluator(reference, data, params.evaluate, params.seed, device, inputs=WORKSPACE.prepared)
    found = score_game(game, evaluator, spec, f"evaluate {recipe}", name)
    for group, reason in found.left_out.items():
        print(f"evaluate {recipe}: {group} is left out: it {reason}")
    rows = task_rows(task, WORKSPACE.prepared, spec, params.evaluate.samples)
    pictures = samples_picture(found, task) | dict(found.pictures)
    if task is game.task:
        pictures |= interpolations_picture(game, params.seed, rows)
    pictures |= neighbours_picture(found, data)
    return TaskEvaluation(found, pictures, baseline_rows(evaluator, task, spec, rows, game))


def _named(found: Mapping[str, Shown], task: str, game: Game) -> dict[str, Shown]:
    """The same pictures or tables; those of another task than the first carry its name."""
    if game.tasks[task] is game.task:
        return dict(found)
    return {f"{task}-{name}": replace(each, title=f"{each.title}, {task}") for name, each in found.items()}


def _write_baselines(tasks: Mapping[str, Sequence[ScoredRow]], out: Path) -> None:
    """One file for each baseline that all tasks have."""
    by_name = [{row.name: row for row in rows} for rows in tasks.values()]
    for name, row in by_name[0].items():
        if all(name in rows for rows in by_name):
            scores = {task: rows[name].scores for task, rows in zip(tasks, by_name, strict=True)}
            write_json(out / "baselines" / f"{name}.json", replace(row, scores=joint_scores(scores)).dump())


def _unhealthy(recipe: str) -> bool:
    facts = json.loads((WORKSPACE.trained(recipe) / "training.json").read_text(encoding="utf-8"))
    return bool(facts.get("unhealthy"))


def _draw(pictures: Mapping[str, Picture], out: Path) -> list[PictureEntry]:
    for name, picture in pictures.items():
        save_png(picture.image, out / f"{name}.png")
    return [
        PictureEntry(file=f"{name}.png", title=picture.title, caption=picture.caption)
        for name, picture in pictures.items()
    ]


def _write_tables(tables: Mapping[str, Table], out: Path) -> list[TableEntry]:
    """CSV files; an empty field where a cell has no value."""
    for name, table in tables.items():
        with atomic_path(out / f"{name}.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(table.columns)
            for row in table.rows:
                writer.writerow(
                    "" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row
                )
    return [TableEntry(file=f"{name}.csv", title=table.title) for name, table in tables.items()]


def _last_samples(recipe: str, out: Path) -> list[PictureEntry]:
    grids = sorted((WORKSPACE.trained(recipe) / "samples").glob("step-*.png"))
    if not grids:
        return []
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(grids[-1], out / "samples.png")
    return [PictureEntry(file="samples.png", title="Samples", caption="The last ones of the training.")]


def _draw_training(recipe: str, out: Path) -> list[PictureEntry]:
    trained = WORKSPACE.trained(recipe)
    out.mkdir(parents=True, exist_ok=True)
    found = []
    if any((trained / "samples").glob("step-*.png")):
        animate(trained / "samples", out / "training.webp")
        caption = "The same latents and inputs, from the first step to the last."
        found.append(PictureEntry(file="training.webp", title="Training", caption=caption))
    plot_curves(trained / "history.csv", out / "curves.png")
    caption = "What each player minimises, and what the discriminator answers."
    return [*found, PictureEntry(file="curves.png", title="Curves", caption=caption)]


if __name__ == "__main__":
    run_stage(main)
