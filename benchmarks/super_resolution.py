"""Super-resolution of well-known photos: training crops, the seven test photos, and the table of a trained model.

python -m benchmarks.super_resolution crops FOLDER OUT [--size 48] [--count 7000]
python -m benchmarks.super_resolution photos SKIMAGE_DATA OUT
python -m benchmarks.super_resolution table RECIPE CROPS PHOTOS OUT [--set budget_kimg=20] [--pictures OUT.png]

FOLDER holds photos for training, SKIMAGE_DATA is skimage/data of scikit-image. `table` trains the recipe on crops where
OUT does not hold its model yet, and follows BasicSR: RGB, border 4, SSIM without edges, means over photos.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import Tensor

from benchmarks.paired import prepared, recipe_with, trained
from benchmarks.side_by_side import side_by_side
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.evaluation.metrics.consistency import enlarged
from ganops.evaluation.metrics.perceptual import perceptual_distance
from ganops.evaluation.similarity import psnr, ssim, without_border
from ganops.games.game import Game
from ganops.games.saved import load_game
from ganops.networks.image_features.features import IMAGE_FEATURES
from ganops.params import DataParams

PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")  # of scikit-image
MULTIPLE = 12  # sides are cut to it, so that factors of 2, 3 and 4 divide them
LARGEST = 2000  # longer photos are made smaller first: single pixels of large ones show little
FEWEST_LEVELS = 6.0  # mean difference of neighbours in grey levels: crops of sky and walls teach nothing
BORDER = 4
SHOWN = {"astronaut": (26, 196), "chelsea": (96, 130), "flower": (150, 330)}  # top and left of the piece to show
PIECE = 60  # pixels
COLOURS = 256  # of the picture
BATCH = 250  # images generated at once while a training is validated


def crops(folder: Path, out: Path, size: int, count: int) -> None:
    """Write `count` PNG files of random pieces with detail, fewer where there is little; the same ones each time."""
    out.mkdir(parents=True, exist_ok=True)
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".jpg", ".png", ".webp") and file.is_file())
    generator = np.random.default_rng(0)
    for number, file in enumerate(files):
        picture = Image.open(file).convert("RGB")
        picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture)
        height, width, _ = pixels.shape
        wanted = round(count * (number + 1) / len(files)) - round(count * number / len(files))
        for index in range(20 * wanted if min(height, width) >= size else 0):
            top, left = generator.integers(0, height - size + 1), generator.integers(0, width - size + 1)
            piece = pixels[top : top + size, left : left + size]
            if wanted and np.abs(np.diff(piece.astype(np.int16), axis=0)).mean() >= FEWEST_LEVELS:
                Image.fromarray(piece).save(out / f"{number:03d}-{index:04d}.png")
                wanted -= 1


def photos(skimage: Path, out: Path) -> None:
    """Write the seven photos as PNG files, their sides cut to multiples of 12."""
    out.mkdir(parents=True, exist_ok=True)
    known = {Path(name).stem: np.asarray(Image.open(skimage / name).convert("RGB")) for name in PHOTOS}
    sample = load_sample_images()
    known |= {Path(name).stem: pixels for name, pixels in zip(sample.filenames, sample.images, strict=True)}
    for name, pixels in known.items():
        height, width = (side - side % MULTIPLE for side in pixels.shape[:2])
        Image.fromarray(pixels[:height, :width]).save(out / f"{name}.png")


def answers(game: Game, low: Tensor, factor: int) -> Mapping[str, Tensor]:
    """(1, 3, H, W) stored images of all rivals for one stored small image of any size."""
    field = ImageField(channels=3, size=8)
    modelled = Rows({next(iter(game.task.inputs)): field.to_model(low)})
    rivals: dict[str, Callable[[Rows], Rows]] = {**game.alternatives(), "final": game.generate}
    size = low.shape[2] * factor, low.shape[3] * factor
    bicubic = F.interpolate(low.float(), size, mode="bicubic", align_corners=False, antialias=True)
    found = {"bicubic": (bicubic + 0.5).clamp(0, 255).to(torch.uint8)}
    for name, answer in rivals.items():
        with torch.no_grad():
            found[name] = field.to_storage(next(iter(answer(modelled).values())))
    return found


def model_of(recipe: str, assignments: Sequence[str], pieces: Path, out: Path) -> Game:
    """The recipe trained on crops, or the model that `out` holds."""
    prepared(out / "data", DataParams(source="images", path=pieces, channels=3))
    return load_game(trained(recipe, recipe_with(recipe, assignments), out, BATCH))


def table(game: Game, folder: Path, pictures: Path | None) -> None:
    """Print the Markdown table, and draw pieces of some photos side by side."""
    task = enlarged(game.task)
    assert task is not None, "the model does not enlarge images"
    factor, features = task[2], IMAGE_FEATURES.build({"kind": "efficientnet-lite0"}, "benchmark")
    scores, shown = dict[str, list[list[float]]](), dict[str, list[Tensor]]()
    for file in sorted(folder.glob("*.png")):
        truth = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)[None]
        size = truth.shape[2] // factor, truth.shape[3] // factor
        small = F.interpolate(truth.float(), size, mode="bicubic", align_corners=False, antialias=True)
        low = (small + 0.5).clamp(0, 255).to(torch.uint8)
        found = dict(answers(game, low, factor))
        for name, made in found.items():
            inside, real = (without_border(images, max(BORDER, factor)) for images in (made, truth))
            again = F.interpolate(made.float(), size, mode="bicubic", align_corners=False, antialias=True)
            values = psnr(inside, real), ssim(inside, real, "left-out"), perceptual_distance(features, made, truth)
            consistency = psnr((again + 0.5).clamp(0, 255).to(torch.uint8), low)
            scores.setdefault(name, []).append([float(value) for value in (*values, consistency)])
        if file.stem in SHOWN:
            top, left = SHOWN[file.stem]
            source = F.interpolate(low, truth.shape[2:], mode="nearest")
            for name, image in {"source": source, **found, "truth": truth}.items():
                shown.setdefault(name, []).append(image[:, :, top : top + PIECE, left : left + PIECE])
    print("| | PSNR | SSIM | perceptual (EfficientNet-Lite0) | consistency, dB |\n| --- | --- | --- | --- | --- |")
    for name, rows in scores.items():
        means = np.mean(rows, axis=0)
        print(f"| {name} | {means[0]:.2f} | {means[1]:.4f} | {means[2]:.3f} | {means[3]:.1f} |")
    if pictures is not None:
        columns = {
            name: [F.interpolate(image, scale_factor=3.0, mode="nearest") for image in row]
            for name, row in shown.items()
        }
        side_by_side({name: torch.cat(row) for name, row in columns.items()}, pictures, COLOURS)


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    cut = commands.add_parser("crops")
    cut.add_argument("folder", type=Path)
    cut.add_argument("out", type=Path)
    cut.add_argument("--size", type=int, default=48)
    cut.add_argument("--count", type=int, default=7000)
    seven = commands.add_parser("photos")
    seven.add_argument("skimage", type=Path)
    seven.add_argument("out", type=Path)
    scored = commands.add_parser("table")
    scored.add_argument("recipe")
    scored.add_argument("crops", type=Path)
    scored.add_argument("photos", type=Path)
    scored.add_argument("out", type=Path)
    scored.add_argument("--set", nargs="*", default=[], help="settings of the recipe")
    scored.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    if asked.command == "crops":
        crops(asked.folder, asked.out, asked.size, asked.count)
    elif asked.command == "photos":
        photos(asked.skimage, asked.out)
    else:
        game = model_of(asked.recipe, asked.set, asked.crops, asked.out)
        table(game, asked.photos, asked.pictures)


if __name__ == "__main__":
    main()
