"""A checkout as the evaluate stage finds it: prepared digits, a recipe, and what its training left behind."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits

from ganops.data.manifest import Manifest
from ganops.data.packed import PackedImages, write_packed
from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.games.saved import SavedModel, save_game
from ganops.recipe import OptimizerSettings, Recipe
from ganops.reporting.grids import image_grid, save_png

SPEC = DataSpec(shape=(1, 8, 8), classes=tuple("0123456789"))
PARAMS = """\
seed: 7
recipes: [tiny]
data: {source: digits, image_size: 8, channels: 1, test_share: 0.25, max_rejected: 0}
evaluate:
  samples: 120
  is_splits: 3
  kid_subsets: 4
  kid_subset_size: 60
  scores: [fid, is, kid, prdc, memorisation, diversity, modes, by-class, label-accuracy]
  classifier: {epochs: 3, width: 4}
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
    (folder / ".dvc").mkdir(exist_ok=True)
    (folder / "params.yaml").write_text(PARAMS)
    recipes = folder / "pipeline" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "tiny.yaml").write_text(RECIPE.model_dump_json())  # JSON is YAML
    raw = load_digits()
    images = torch.from_numpy(raw.images * (255 / 16)).round().to(torch.uint8)[:, None]
    labels = torch.from_numpy(raw.target).long()
    prepared = folder / "data" / "prepared"
    write_packed(prepared, "train", PackedImages(images[:300], labels[:300]))
    write_packed(prepared, "test", PackedImages(images[300:400], labels[300:400]))
    Manifest(source="digits", digest="d" * 64, spec=SPEC, counts={"train": 300, "test": 100}).write(prepared)
    return folder


def leave_training(folder: Path, run_id: str, sick: bool = False, recipe: Recipe = RECIPE) -> None:
    """What train@tiny leaves: an untrained model, curves, grids, facts and the run's id; sick: its weights are NaN."""
    out = folder / "results" / "train" / "tiny"
    torch.manual_seed(0)
    save_game(out / "model", build_game(recipe, SPEC), SavedModel(name="tiny", recipe=recipe, spec=SPEC))
    if sick:
        weights = out / "model" / "generator.safetensors"
        save_file({name: torch.full_like(tensor, torch.nan) for name, tensor in load_file(weights).items()}, weights)
    (out / "history.csv").write_text("step,kimg,generator/loss\n1,0.1,0.7\n2,0.2,0.6\n")
    grid = image_grid(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), columns=2)
    for step in (0, 2):
        save_png(grid, out / "samples" / f"step-{step:08d}.png")
    (out / "training.json").write_text(json.dumps({"sick": sick}))
    runs = folder / "results" / "runs"
    runs.mkdir(parents=True)
    (runs / "tiny.json").write_text(json.dumps({"run_id": run_id, "recipe": "tiny"}))
