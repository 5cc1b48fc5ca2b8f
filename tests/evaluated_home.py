"""A checkout as the evaluate stage finds it: prepared digits, a recipe, and what its training left behind."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from sklearn.datasets import load_digits

from ganops.data.digest import digest
from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.pictures import image_grid, save_png
from ganops.data.manifest import Manifest, manifest_path
from ganops.data.packed import SPLITS, read_packed, write_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.games.saved import SavedModel, save_game
from ganops.recipe import OptimizerSettings, Recipe
from ganops.workspace import Workspace

SPEC = DataSpec(fields={"image": ImageField(channels=1, size=8), "label": CategoryField(classes=tuple("0123456789"))})
PARAMS = """\
seed: 7
recipes: [tiny]
data: {source: digits, image_size: 8, channels: 1, test_share: 0.25, max_rejected: 0}
evaluate:
  features: classifier
  samples: 120
  metrics:
    fid: {}
    is: {splits: 3}
    kid: {subsets: 4, subset_size: 60}
    prdc: {}
    memorisation: {}
    diversity: {}
    modes: {}
    by-class: {}
    label-accuracy: {}
  classifier: {epochs: 3, width: 4}
compare: {metric: fid_classifier}
gate: {metric: fid_classifier}
"""
RECIPE = Recipe(
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
)


def make_home(folder: Path) -> Path:
    """Settings, the recipe `tiny`, and 300 + 100 digits of 8 x 8 pixels."""
    home = Workspace(folder)
    (folder / ".dvc").mkdir(exist_ok=True)
    home.params.write_text(PARAMS)
    home.recipes.mkdir(parents=True)
    home.recipe("tiny").write_text(RECIPE.model_dump_json())  # JSON is YAML
    raw = load_digits()
    images = torch.from_numpy(raw.images * (255 / 16)).round().to(torch.uint8)[:, None]
    rows = Rows({"image": images, "label": torch.from_numpy(raw.target).long()})
    write_packed(home.prepared, "train", rows.select(slice(0, 300)), SPEC.fields)
    write_packed(home.prepared, "test", rows.select(slice(300, 400)), SPEC.fields)
    splits = {split: read_packed(home.prepared, split) for split in SPLITS}
    Manifest(source="digits", digest=digest(splits), spec=SPEC, counts={"train": 300, "test": 100}).write(
        manifest_path(home.prepared)
    )
    return folder


def leave_training(folder: Path, run_id: str, unhealthy: bool = False, recipe: Recipe = RECIPE) -> None:
    """What train@tiny leaves: an untrained model, curves, grids, facts and the run's id; unhealthy: weights of NaN."""
    home = Workspace(folder)
    out, model = home.trained("tiny"), home.model("tiny")
    torch.manual_seed(0)
    game = build_game(recipe, SPEC)
    if unhealthy:
        with torch.no_grad():
            for parameter in game.parameters():
                parameter.fill_(torch.nan)
    save_game(model, game, SavedModel(name="tiny", recipe=recipe, spec=SPEC))
    (out / "history.csv").write_text("step,kimg,generator/loss\n1,0.1,0.7\n2,0.2,0.6\n")
    grid = image_grid(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), columns=2)
    for step in (0, 2):
        save_png(grid, out / "samples" / f"step-{step:08d}.png")
    facts = {
        "recipe": "tiny",
        "steps": 250,
        "kimg": 1.0,
        "seconds": 2.0,
        "images_per_second": 500.0,
        "parameters": {"generator": 616, "discriminator": 529},
        "health_events": [],
        "unhealthy": unhealthy,
    }
    (out / "training.json").write_text(json.dumps(facts))
    home.run_file("tiny").parent.mkdir(parents=True)
    home.run_file("tiny").write_text(json.dumps({"run_id": run_id, "recipe": "tiny"}))
