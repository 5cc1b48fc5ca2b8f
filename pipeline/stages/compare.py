"""Stage compare: one leaderboard over all recipes, the winner and why, and the report."""

from __future__ import annotations

import shutil
from dataclasses import asdict

from ganops.atomic import write_json, write_text
from ganops.data.manifest import Manifest, read_manifest
from ganops.params import Params, load_params
from ganops.recipe import Recipe, find_recipe, load_recipe
from ganops.reporting.leaderboard import Row, common_protocol, read_row
from ganops.reporting.report import render_report
from ganops.reporting.scores import HEADLINE_SCORES, describe
from ganops.reporting.seeds import pool_seeds
from ganops.reporting.tables import leaderboard_csv, leaderboard_markdown, leaderboard_text
from ganops.reporting.winner import Winner, choose_winner
from ganops.tracking.run import resume_run
from pipeline.stages.results import (
    COMPARE,
    LEADERBOARD,
    PARAMS,
    PREPARED,
    RECIPES,
    REPORT,
    RESULTS,
    WINNER,
    evaluate_folder,
    run_file,
)


def main() -> None:
    """Compare the recipes of params.yaml.

    Raises EvaluationError when they were scored under different protocols or when none of them can win.
    """
    params = load_params(PARAMS)
    manifest = read_manifest(PREPARED)
    trainings = [read_row(RESULTS, recipe) for recipe in params.recipes]
    recipes = {recipe: load_recipe(find_recipe(recipe, RECIPES)) for recipe in params.recipes}
    score = params.compare.score
    rows = pool_seeds(trainings, recipes, params.seed, describe(score))
    winner = choose_winner(rows, score)
    write_text(LEADERBOARD, leaderboard_csv(rows, score))
    write_text(COMPARE / "leaderboard.md", leaderboard_markdown(rows, score, winner.recipe))
    write_text(REPORT, render_report(rows, winner, RESULTS, manifest, RECIPES))
    pooled = next(row for row in rows if row.recipe == winner.recipe)
    facts = {"protocol": common_protocol(rows)["digest"], "seeds": pooled.seeds, "scores": pooled.scores}
    write_json(WINNER, asdict(winner) | facts)
    for training in trainings:
        _export(training)
        _complete_run(training, recipes[training.recipe], winner, params, manifest)
    print(f"\n{leaderboard_text(rows, score, winner.recipe)}\n{winner.why}\nreport: {REPORT}", flush=True)


def _export(row: Row) -> None:
    """The scores that make a short table for `dvc metrics`, and the grid for `dvc plots`: a folder of each."""
    headline = {key: row.scores[key] for key in HEADLINE_SCORES if key in row.scores}
    write_json(COMPARE / "scores" / f"{row.recipe}.json", headline)
    grids = COMPARE / "samples"
    grids.mkdir(exist_ok=True)
    shutil.copyfile(evaluate_folder(row.recipe) / "samples.png", grids / f"{row.recipe}.png")


def _complete_run(row: Row, recipe: Recipe, winner: Winner, params: Params, manifest: Manifest) -> None:
    """Give the recipe's MLflow run the scores that evaluation could not (a restored result), and say whether it won."""
    with resume_run(run_file(row.recipe), params=params, recipe=recipe, manifest=manifest) as run:
        run.log_scores(row.scores, row.protocol)
        run.set_tags({"winner": str(row.recipe == winner.recipe).lower(), "health": row.health})


if __name__ == "__main__":
    from pipeline.stages.entry import run_stage

    run_stage(main)
