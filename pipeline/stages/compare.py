"""Stage compare: one leaderboard over all recipes, the winner and why, and the report."""

from __future__ import annotations

import shutil

from ganops.atomic import write_json, write_text
from ganops.data.manifest import Manifest, read_manifest
from ganops.errors import SettingsError
from ganops.evaluation.metric import Metric
from ganops.evaluation.metric_names import describe
from ganops.params import AUTO, Params
from ganops.recipe import Recipe, find_recipe, load_recipe
from ganops.reporting.contents import read_contents
from ganops.reporting.leaderboard import LeaderboardRow, read_references, read_row
from ganops.reporting.report import render_report
from ganops.reporting.seeds import average_seeds
from ganops.reporting.tables import (
    flat_scores,
    headline_metrics,
    leaderboard_csv,
    leaderboard_markdown,
    leaderboard_text,
)
from ganops.reporting.winner import Winner, choose_winner
from ganops.resolved import load_params
from ganops.tracking.run import resume_run
from ganops.workspace import WORKSPACE


def main() -> None:
    """Compare the recipes of params.yaml.

    Raises EvaluationError when they were measured under different protocols or when none of them can win.
    """
    params = load_params(WORKSPACE.params)
    metric = _metric(params)
    manifest = read_manifest(WORKSPACE.prepared)
    trainings = [read_row(WORKSPACE, recipe) for recipe in params.recipes]
    recipes = {recipe: load_recipe(find_recipe(recipe, WORKSPACE.recipes)) for recipe in params.recipes}
    rows = [
        *read_references(WORKSPACE, params.recipes),
        *average_seeds(trainings, recipes, params.seed, metric),
    ]
    winner = choose_winner(rows, metric)
    write_text(WORKSPACE.leaderboard, leaderboard_csv(rows, metric))
    write_text(WORKSPACE.comparison / "leaderboard.md", leaderboard_markdown(rows, metric, winner.recipe))
    text = leaderboard_text(rows, metric, winner.recipe)
    write_text(WORKSPACE.comparison / "leaderboard.txt", text)
    write_text(WORKSPACE.report, render_report(rows, winner, WORKSPACE, manifest))
    write_json(WORKSPACE.winner, winner.dump())
    for training in trainings:
        _export(training, metric)
        _complete_run(training, recipes[training.name], winner, params, manifest)
    print(f"\n{text}\n{winner.why}\nreport: {WORKSPACE.report}", flush=True)


def _metric(params: Params) -> Metric:
    if params.compare.metric == AUTO:
        raise SettingsError(
            "compare.metric is auto, and it is not resolved yet",
            code="unresolved",
            expected=str(WORKSPACE.resolved),
            action="run: dvc repro resolve",
        )
    return describe(params.compare.metric)


def _export(row: LeaderboardRow, metric: Metric) -> None:
    """The scores that make a short table for `dvc metrics`, and the samples for `dvc plots`: a folder of each."""
    flat = flat_scores(row)
    headline = {found.key: flat[found.key] for found in headline_metrics([row], metric) if found.key in flat}
    write_json(WORKSPACE.comparison / "scores" / f"{row.name}.json", headline)
    folder = WORKSPACE.comparison / "samples"
    folder.mkdir(exist_ok=True)
    for picture in read_contents(WORKSPACE.evaluated(row.name)).pictures[:1]:
        source = WORKSPACE.evaluated(row.name) / picture.file
        shutil.copyfile(source, folder / f"{row.name}{source.suffix}")


def _complete_run(row: LeaderboardRow, recipe: Recipe, winner: Winner, params: Params, manifest: Manifest) -> None:
    """Log the scores that evaluation could not (a restored result) to the recipe's run, and whether it won."""
    with resume_run(WORKSPACE.run_file(row.name), params=params, recipe=recipe, manifest=manifest) as run:
        run.log_scores(row.own)
        run.set_tags({"winner": str(row.name == winner.recipe).lower(), "health": row.health})


if __name__ == "__main__":
    from pipeline.stages.entry import run_stage

    run_stage(main)
