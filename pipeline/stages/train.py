"""Stage train@<recipe>: train one model and leave its weights, curves, samples and facts."""

from __future__ import annotations

from ganops.data.manifest import read_manifest
from ganops.data.unaltered import require_unaltered
from ganops.recipe import find_recipe, load_recipe
from ganops.registry.init_model import find_init_model
from ganops.resolved import load_params
from ganops.tracked_training import new_training, places_of, train
from ganops.training.distributed.join import join, started_by_torchrun
from ganops.training.job import TrainingJob
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage
from pipeline.stages.torchrun import run_as_processes


def main(recipe: str) -> None:
    """Train `recipe`, or resume a killed training of the same recipe, code, settings and data."""
    params, file = load_params(WORKSPACE.params), find_recipe(recipe, WORKSPACE.recipes)
    rules, manifest = load_recipe(file), read_manifest(WORKSPACE.prepared)
    start = find_init_model(rules.init.model) if rules.init else None
    job = TrainingJob(recipe, rules, params.train, params.seed, manifest.spec, manifest.digest, start, str(file))
    job.check(manifest.counts["train"])
    if not started_by_torchrun():
        require_unaltered(WORKSPACE.prepared, manifest)
    if params.train.processes > 1 and not started_by_torchrun():
        run_as_processes(params.train.processes, "pipeline.stages.train", recipe)
        return
    with join(params.train.device) as group:
        train(new_training(job, params, manifest, places_of(recipe), start), group)


if __name__ == "__main__":
    run_stage(main)
