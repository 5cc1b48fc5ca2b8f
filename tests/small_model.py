"""The smallest things that tracking, registry and commands can be shown: params, data, a recipe, a saved model."""

from __future__ import annotations

from pathlib import Path

import torch

from ganops.data.manifest import Manifest
from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.games.saved import SavedModel, save_game
from ganops.params import DataParams, GateParams, Params
from ganops.recipe import OptimizerSettings, Recipe
from ganops.registry.candidate import Candidate

SPEC = DataSpec(shape=(1, 8, 8), classes=("zero", "one"))


def small_params(**gate: object) -> Params:
    """Params of a tiny pipeline; `gate` are keys of the gate's section."""
    data = DataParams(source="digits", image_size=8, channels=1, test_share=0.2, max_rejected=0.0)
    return Params(seed=7, recipes=("tiny",), data=data, gate=GateParams.model_validate(gate))


def small_recipe(**changes: object) -> Recipe:
    """A recipe of some hundred weights."""
    return Recipe(
        summary="a tiny pair",
        paper="none",
        game={"kind": "unconditional", "loss": "non-saturating"},
        networks={
            "generator": {"kind": "mlp-generator", "latent_dim": 4, "widths": [8]},
            "discriminator": {"kind": "mlp-discriminator", "widths": [8]},
        },
        optimizers={"generator": OptimizerSettings(lr=1e-3), "discriminator": OptimizerSettings(lr=1e-3)},
        batch_size=4,
        budget_kimg=1,
    ).model_copy(update=changes)


def small_manifest(digest: str = "ab" * 32) -> Manifest:
    """What `prepare` would say of the data."""
    return Manifest(source="digits", digest=digest, spec=SPEC, counts={"train": 80, "test": 20})


def save_small_model(folder: Path, seed: int = 0, gain: float = 20.0) -> Path:
    """Write a model folder with weights drawn from `seed`; gain 0 makes every image the same grey."""
    torch.manual_seed(seed)
    recipe = small_recipe()
    game = build_game(recipe, SPEC)
    with torch.no_grad():
        for parameter in game.parameters():
            parameter.mul_(gain)
    save_game(folder, game, SavedModel(name="tiny", recipe=recipe, spec=SPEC))
    return folder


def small_candidate(
    folder: Path, seed: int = 0, *, sick: bool = False, gain: float = 20.0, **scores: float
) -> Candidate:
    """A model trained from another one and scored; weights drawn from `seed`, FID 10 unless `scores` says otherwise."""
    save_small_model(folder, seed, gain)
    return Candidate(
        recipe="tiny",
        folder=folder,
        scores={"fid": 10.0, "fid_error": 0.1} | scores,
        protocol={"digest": "d" * 64, "extractor": "classifier", "generated_count": 100},
        training={"steps": 9, "sick": sick, "health_events": [], "init": {"model": "other", "digest": "e" * 64}},
        manifest=small_manifest(),
    )


def register_small(home: Path, seed: int = 0, *, sick: bool = False, gain: float = 20.0, **scores: float) -> str:
    """Register such a candidate under a run of its own; its version."""
    from ganops.registry.register import register
    from ganops.tracking.run import RunFile, start_run

    params, run_file = small_params(), home / f"run-{seed}.json"
    with start_run("tiny", params=params, system_metrics=False) as run:
        RunFile(run_id=run.run_id, recipe="tiny").write(run_file)
    candidate = small_candidate(home / f"model-{seed}", seed, sick=sick, gain=gain, **scores)
    return register(candidate, params, run_file)[0].version
