"""The curves and pictures of docs/teaching.md: the first GAN on MNIST, and mode collapse on a ring, seen and cured.

python -m benchmarks.first_gan [mnist] [collapse] [cure] [--folder build/first-gan] [--kimg 300] [--steps 4000]
python -m benchmarks.first_gan --draw docs/pictures

The first form trains and keeps curves and samples in FOLDER; the second draws what is there. MNIST has the recipe `mlp`
as shipped but for its budget. The ring has the plain pair of benchmarks.mode_coverage with the non-saturating loss,
without and with an R1 penalty.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from benchmarks.mode_coverage import penalised, plain, recipe_for
from benchmarks.trainers import make_trainer
from ganops.atomic import atomic_path, write_json
from ganops.data.fields.captions import INK, font
from ganops.data.fields.pictures import image_grid, save_png, scatter
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.data.prepare import prepare
from ganops.data.rows import Rows
from ganops.data.sources.mixtures import collect
from ganops.data.spec import VECTOR, DataSpec
from ganops.params import DataParams, TrainParams
from ganops.progress import progress
from ganops.recipe import Recipe, load_recipe
from ganops.reporting.curves import read_history, smooth
from ganops.training.callback import Callback
from ganops.training.history import write_history
from ganops.training.interruption import Interruption

MLP = Path(__file__).resolve().parent.parent / "pipeline" / "recipes" / "mlp.yaml"
SHOWN, MOMENTS = 36, 20  # images of a grid; how many moments of a training are kept
PANEL, GAP, CAPTION = 220, 10, 24
BLUE, ORANGE = "#0072B2", "#D55E00"
TITLES = {"mnist": "MNIST", "collapse": "Ring, plain", "cure": "Ring, with R1"}


class Keep(Callback):
    """Writes a picture of the samples at each moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_samples(self, step: int, rows: Rows) -> None:
        """Images as a grid of 6 x 6, points as a drawing."""
        name, column = next(iter(rows.items()))
        picture = image_grid(column[:SHOWN], 6, scale=1) if name == "image" else scatter(column)
        save_png(picture, self.folder / f"{step:08d}.png")


def digits(folder: Path) -> tuple[Rows, DataSpec]:
    """MNIST at 28 x 28."""
    prepared = folder / "data"
    if not (prepared / "manifest.json").exists():
        prepare(DataParams(source="mnist", image_size=28, channels=1), prepared)
    return read_packed(prepared, "train"), read_manifest(prepared).spec


def ring(_folder: Path) -> tuple[Rows, DataSpec]:
    """Eight Gaussians on a circle."""
    raw = collect("ring2d")
    rows = Rows({VECTOR: torch.from_numpy(raw.columns[VECTOR][raw.rows["train"]])})
    return rows, DataSpec(fields={VECTOR: raw.fields[VECTOR]})


def train(name: str, recipe: Recipe, folder: Path) -> None:
    """Train, and keep curves and samples."""
    rows, spec = (digits if name == "mnist" else ring)(folder)
    samples = SHOWN if name == "mnist" else 1024
    settings = TrainParams(device="cpu", compile="never", sample_times=MOMENTS, sample_images=samples)
    out = folder / name
    trainer = make_trainer(recipe, rows, spec, settings, out / "checkpoints", seed=0, callback=Keep(out))
    began = time.process_time()
    with progress(name, round(1000 * recipe.budget_kimg), "rows") as bar:
        trainer.run(Interruption(), bar)
    write_history(out / "history.csv", trainer.history)
    write_json(out / "facts.json", {"kimg": recipe.budget_kimg, "seconds": round(time.process_time() - began)})


def recipes(kimg: float, steps: int) -> dict[str, Recipe]:
    """The three trainings."""
    return {
        "mnist": load_recipe(MLP).model_copy(update={"budget_kimg": kimg}),
        "collapse": recipe_for(plain("non-saturating"), steps),
        "cure": recipe_for(plain("non-saturating", **penalised("r1", 5e-2)), steps),
    }


def draw_curves(folder: Path, out: Path) -> None:
    """D(x) and D(G(z)) of each training, and the losses below them."""
    names = [name for name in TITLES if (folder / name / "history.csv").exists()]
    figure = Figure(figsize=(4.2 * len(names), 4.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(names), squeeze=False)
    for column, name in enumerate(names):
        curves = read_history(folder / name / "history.csv")
        panels = (
            (("D(x)", "D(x)", BLUE), ("D(G(z))", "D(G(z))", ORANGE)),
            (("discriminator/loss", "loss of D", BLUE), ("generator/loss", "loss of G", ORANGE)),
        )
        for axis, lines in zip(axes[:, column], panels, strict=True):
            for key, label, colour in lines:
                axis.plot(curves[key].kimg, curves[key].values, color=colour, alpha=0.2, linewidth=0.7)
                axis.plot(curves[key].kimg, smooth(curves[key].values), color=colour, linewidth=1.6, label=label)
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(alpha=0.25, linewidth=0.6)
            axis.legend(fontsize=8, frameon=False)
        axes[0, column].set(title=TITLES[name], ylim=(0, 1))
        axes[0, column].axhline(0.5, color="#808080", linewidth=0.8, linestyle="--")
        axes[1, column].set_xlabel("thousands of real rows shown (kimg)", fontsize=8)
    with atomic_path(out) as temporary:
        figure.savefig(temporary, format="png")


def draw_moments(folder: Path, names: list[str], moments: list[int], out: Path) -> None:
    """A line of moments of each training: after so many of the 20 parts of it."""
    height = PANEL + CAPTION
    canvas = Image.new("RGB", (len(moments) * (PANEL + GAP), len(names) * (height + GAP)), "white")
    draw = ImageDraw.Draw(canvas)
    for row, name in enumerate(names):
        files = sorted((folder / name).glob("*.png"))
        for column, moment in enumerate(moments):
            picture = Image.open(files[moment - 1])
            left, top = column * (PANEL + GAP), row * (height + GAP)
            canvas.paste(picture.resize((PANEL, PANEL), Image.Resampling.LANCZOS), (left, top))
            text = f"{TITLES[name]}, step {int(files[moment - 1].stem):,}"
            draw.text((left, top + PANEL + 4), text, fill=INK, font=font(14))
    save_png(canvas.quantize(64, dither=Image.Dither.NONE), out)


def main() -> None:
    """Train, or draw."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*", choices=[*TITLES, []], help="trainings; all where none is named")
    arguments.add_argument("--folder", type=Path, default=Path("build/first-gan"))
    arguments.add_argument("--kimg", type=float, default=300.0, help="thousands of digits shown")
    arguments.add_argument("--steps", type=int, default=4000, help="of the two trainings on the ring")
    arguments.add_argument("--draw", type=Path, help="draw into this folder what was trained, and train nothing")
    options = arguments.parse_args()
    if options.draw:
        draw_curves(options.folder, options.draw / "teaching-curves.png")
        draw_moments(options.folder, ["mnist"], [1, 2, 5, 10, 20], options.draw / "teaching-mnist.png")
        draw_moments(options.folder, ["collapse", "cure"], [1, 2, 5, 10, 20], options.draw / "teaching-ring.png")
        return
    torch.set_num_threads(1)
    for name, recipe in recipes(options.kimg, options.steps).items():
        if not options.names or name in options.names:
            train(name, recipe, options.folder)


if __name__ == "__main__":
    main()
