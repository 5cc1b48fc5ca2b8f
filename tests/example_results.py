"""A small but complete results folder, as train and evaluate leave it, for tests of what is made of it."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.pictures import image_grid, save_png
from ganops.data.manifest import Manifest, Rejected
from ganops.data.spec import IMAGE, LABEL, DataSpec
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.scores import Protocol, Scores
from ganops.reporting.animation import animate
from ganops.reporting.contents import CONTENTS, Contents, PictureEntry, TableEntry
from ganops.reporting.curves import plot_curves
from ganops.reporting.leaderboard import Kind, LeaderboardRow, TrainingFacts
from ganops.workspace import Workspace

SHARED = {"features": "inception-v3", "split": "train", "samples": 5000, "seed": 7}
NAMES = tuple("0123456789")
SPEC = DataSpec(fields={IMAGE: ImageField(channels=1, size=8), LABEL: CategoryField(classes=NAMES)})
RECIPE = """\
summary: a generator for <tests> & reports
paper: "nobody 2020"
game: {kind: unconditional, loss: non-saturating}
networks:
  generator: {kind: dcgan-generator, latent_dim: 100, width: 32}
optimizers:
  generator: {kind: adam, lr: 2.0e-4}   # per step
batch_size: 64
budget_kimg: 140
"""


def digits() -> Tensor:
    """Real handwritten digits: (1797, 1, 8, 8) uint8."""
    pixels = torch.from_numpy(load_digits().images) * (255 / 16)
    return pixels.round().to(torch.uint8).unsqueeze(1)


def manifest(**changes: Any) -> Manifest:
    """The manifest of the digits, with some values changed."""
    values: dict[str, Any] = {
        "source": "digits",
        "digest": "cd" * 32,
        "spec": SPEC,
        "counts": {"train": 1500, "test": 297},
        "class_counts": {"train": dict.fromkeys(NAMES, 150), "test": dict.fromkeys(NAMES, 30)},
        "rejected_count": 1,
        "rejected_reasons": {"truncated": 1},
        "rejected": (Rejected(name="<b>half.jpg</b>", reason="truncated"),),
    }
    return Manifest(**(values | changes))


def scores(shared: Mapping[str, Any] = SHARED, **values: float | tuple[float, float]) -> Scores:
    """Scores of one group each; a pair is a value with its standard error. `is_` stands for `is`."""
    found = {key.rstrip("_"): value for key, value in values.items()}
    estimates = {
        key: Estimate(*value) if isinstance(value, tuple) else Estimate(value, None) for key, value in found.items()
    }
    return Scores(
        estimates, Protocol(shared=dict(shared), groups={key: {} for key in found}), {key: key for key in found}
    )


def row(
    name: str,
    parameters: int = 1000,
    unhealthy: bool = False,
    samples: int = 5000,
    kind: Kind = "recipe",
    **values: float | tuple[float, float],
) -> LeaderboardRow:
    """A leaderboard row with these scores, measured on so many samples."""
    training = TrainingFacts(
        images_per_second=1900.0, minutes=1.5, parameters={"generator": parameters}, steps=2000, unhealthy=unhealthy
    )
    own = scores(SHARED | {"samples": samples}, **values)
    return LeaderboardRow(name, own, kind, training=training if kind == "recipe" else None)


def write_history(path: Path, rows: int = 200, broken: range = range(0)) -> None:
    """Curves that behave as a GAN's do: from far apart to an uneasy balance; the losses of rows in `broken` are NaN."""
    noise = random.Random(0)
    lines = ["step,kimg,discriminator/loss,discriminator/gradient_penalty,generator/loss,D(x),D(G(z))"]
    for row in range(rows):
        far = math.exp(-row / (0.2 * rows))
        values = (0.7 + far, 2 * far, 1.5 - far, 0.5 + 0.4 * far, 0.5 - 0.4 * far)
        cells = [f"{value + noise.gauss(0, 0.05):.5f}" for value in values]
        if row in broken:
            cells[0] = "nan"
        lines.append(f"{row * 5},{row * 0.32:.3f},{','.join(cells)}")
    path.write_text("\n".join(lines) + "\n")


def write_frames(folder: Path, images: Tensor, count: int) -> None:
    """`count` sample grids on the way from noise to `images`."""
    noise = torch.Generator().manual_seed(0)
    for index in range(count):
        share = index / max(count - 1, 1)
        grains = torch.randint(0, 256, images.shape, generator=noise)
        save_png(
            image_grid((images * share + grains * (1 - share)).to(torch.uint8), 8), folder / f"step-{index * 90:08}.png"
        )


def write_recipe_results(
    root: Path,
    recipe: str,
    found: Scores | None,
    *,
    images: Tensor | None = None,
    frames: int = 0,
    table: str = "",
    **training: Any,
) -> None:
    """What train and evaluate leave of one recipe under `root`; no scores where `found` is None.

    images: (N, C, H, W) uint8 that stand for samples; None: no pictures. frames: sample grids in the animation.
    table: CSV text of a table by class. training: facts of training.json that differ from a healthy run of 2000 steps.
    """
    home = Workspace(root)
    trained, evaluated = home.trained(recipe), home.evaluated(recipe)
    for folder in (trained / "samples", evaluated, home.run_file(recipe).parent, home.recipes):
        folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "recipe": recipe,
        "steps": 2000,
        "kimg": 128.0,
        "seconds": 66.5,
        "images_per_second": 1925.3,
        "device": "cpu",
        "precision": "float32",
        "parameters": {"generator": 900_000, "discriminator": 300_000},
        "health_events": [],
        "unhealthy": False,
    }
    (trained / "training.json").write_text(json.dumps(facts | training))
    write_history(trained / "history.csv")
    home.run_file(recipe).write_text(json.dumps({"run_id": f"run-of-{recipe}", "recipe": recipe}))
    home.recipe(recipe).write_text(RECIPE)
    if found is not None:
        found.write(evaluated / "scores.json")
    pictures: list[PictureEntry] = []
    if images is not None:
        save_png(image_grid(images, 8), evaluated / "samples.png")
        plot_curves(trained / "history.csv", evaluated / "curves.png")
        pictures = [
            PictureEntry(file="samples.png", title="Samples", caption="Not cherry-picked."),
            PictureEntry(file="curves.png", title="Curves"),
        ]
    if images is not None and frames:
        write_frames(trained / "samples", images, frames)
        animate(trained / "samples", evaluated / "training.webp")
        pictures.insert(1, PictureEntry(file="training.webp", title="Training"))
    if table:
        (evaluated / "classes.csv").write_text(table)
    tables = (TableEntry(file="classes.csv", title="By class"),) if table else ()
    Contents(pictures=tuple(pictures), tables=tables).write(evaluated / CONTENTS)


def write_reference(folder: Path, name: str, title: str, found: Scores) -> None:
    """A reference or baseline row as a file of `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found.dump() | {"title": title}))
