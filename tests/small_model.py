"""The smallest params, data, recipe and saved model that tracking, registry and commands can work with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest
from ganops.data.spec import DataSpec
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.scores import Protocol, Scores
from ganops.games.build import build_game
from ganops.games.saved import SavedModel, save_game
from ganops.params import DataParams, GateParams, Params, TrackingParams
from ganops.recipe import OptimizerSettings, Recipe
from ganops.registry.candidate import Candidate
from ganops.workspace import Workspace

SPEC = DataSpec(
    fields={"image": ImageField(channels=1, size=8), "label": CategoryField(classes=("zero", "one"), shares=(0.5, 0.5))}
)
FEATURES = "inception-v3"  # in whose features `fid` has its plain name


def small_params(*, model: str = "ganops", **gate: object) -> Params:
    """Params of a tiny pipeline; `gate` are keys of the gate's section."""
    data = DataParams(source="digits", image_size=8, channels=1, test_share=0.2, max_rejected=0.0)
    return Params(
        seed=7,
        recipes=("tiny",),
        data=data,
        tracking=TrackingParams(model=model),
        gate=GateParams.model_validate({"metric": "fid", **gate}),
    )


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


def small_manifest(digest: str = "ab" * 32, **changes: object) -> Manifest:
    """What `prepare` would write for the data."""
    return Manifest(source="digits", digest=digest, spec=SPEC, counts={"train": 80, "test": 20}).model_copy(
        update=changes
    )


def small_scores(protocol: str = "p", errors: Mapping[str, float] | None = None, **values: float) -> Scores:
    """Scores by metric key, each a group of its own; `protocol` decides what they compare with."""
    groups: dict[str, dict[str, Any]] = {key: {} for key in values}
    shared = {"data": protocol, "features": FEATURES, "generated": 100}
    estimates = {key: Estimate(value, (errors or {}).get(key)) for key, value in values.items()}
    return Scores(estimates, Protocol(shared=shared, groups=groups), {key: key for key in values})


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
    folder: Path, seed: int = 0, *, unhealthy: bool = False, gain: float = 20.0, fid: float = 10.0, **scores: float
) -> Candidate:
    """A model trained from another one and scored; weights drawn from `seed`."""
    save_small_model(folder, seed, gain)
    return Candidate(
        recipe="tiny",
        folder=folder,
        scores=small_scores(fid=fid, errors={"fid": 0.1}, **scores),
        training={
            "steps": 9,
            "unhealthy": unhealthy,
            "health_events": [],
            "init": {"model": "other", "digest": "e" * 64},
        },
        manifest=small_manifest(),
    )


def register_small(home: Path, seed: int = 0, *, unhealthy: bool = False, gain: float = 20.0, **scores: float) -> str:
    """Register such a candidate under a run of its own; its version."""
    from ganops.registry.register import register
    from ganops.tracking.run import RunFile, start_run

    params, workspace = small_params(), Workspace(home / f"workspace-{seed}")
    with start_run("tiny", params=params, system_metrics=False) as run:
        RunFile(run_id=run.run_id, recipe="tiny").write(workspace.run_file("tiny"))
    candidate = small_candidate(home / f"model-{seed}", seed, unhealthy=unhealthy, gain=gain, **scores)
    return register(candidate, params, workspace)[0].version
