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

from ganops.data.manifest import Manifest, Rejected
from ganops.data.spec import DataSpec
from ganops.reporting.animation import animate
from ganops.reporting.curves import plot_curves
from ganops.reporting.grids import image_grid, save_png
from ganops.reporting.leaderboard import Row
from ganops.reporting.neighbours import neighbour_grid

PROTOCOL = {"digest": "ab" * 32, "extractor": "classifier", "split": "train", "samples": 5000, "seed": 7}
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


def manifest() -> Manifest:
    """What prepare says of the digits."""
    names = tuple("0123456789")
    return Manifest(
        source="digits",
        digest="cd" * 32,
        spec=DataSpec(shape=(1, 8, 8), classes=names),
        counts={"train": 1500, "test": 297},
        class_counts={"train": dict.fromkeys(names, 150), "test": dict.fromkeys(names, 30)},
        rejected_count=1,
        rejected_reasons={"truncated": 1},
        rejected=(Rejected(name="<b>half.jpg</b>", reason="truncated"),),
    )


def row(recipe: str, parameters: int = 1000, sick: bool = False, protocol: str = "a", **scores: float) -> Row:
    """A leaderboard row with these scores; protocol "a" took 5000 samples, "b" 500."""
    return Row(
        recipe=recipe,
        scores=scores,
        protocol=PROTOCOL | {"digest": protocol, "samples": {"a": 5000, "b": 500}[protocol]},
        images_per_second=1900.0,
        minutes=1.5,
        parameters={"generator": parameters},
        steps=2000,
        sick=sick,
    )


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
    metrics: Mapping[str, float] | None,
    *,
    protocol: Mapping[str, Any] = PROTOCOL,
    images: Tensor | None = None,
    frames: int = 0,
    **training: Any,
) -> None:
    """What train and evaluate leave of one recipe under `root`; no metrics and protocol where `metrics` is None.

    images: (N, C, H, W) uint8 that stand for samples; None: no pictures. frames: sample grids in the animation.
    training: facts of training.json that differ from a healthy run of 2000 steps.
    """
    trained, evaluated = root / "results" / "train" / recipe, root / "results" / "evaluate" / recipe
    for folder in (trained / "samples", evaluated, root / "results" / "runs", root / "pipeline" / "recipes"):
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
        "sick": False,
    }
    (trained / "training.json").write_text(json.dumps(facts | training))
    write_history(trained / "history.csv")
    (root / "results" / "runs" / f"{recipe}.json").write_text(
        json.dumps({"run_id": f"run-of-{recipe}", "recipe": recipe})
    )
    (root / "pipeline" / "recipes" / f"{recipe}.yaml").write_text(RECIPE)
    if metrics is not None:
        (evaluated / "metrics.json").write_text(json.dumps(metrics))
        (evaluated / "protocol.json").write_text(json.dumps(protocol))
    if images is not None:
        save_png(image_grid(images, 8), evaluated / "samples.png")
        pairs = images[: len(images) // 2 // 4 * 4]
        save_png(
            neighbour_grid(pairs, images[-len(pairs) :], torch.linspace(1, 9, len(pairs))), evaluated / "neighbours.png"
        )
        plot_curves(trained / "history.csv", evaluated / "curves.png")
    if images is not None and frames:
        write_frames(trained / "samples", images, frames)
        animate(trained / "samples", evaluated / "training.webp")
