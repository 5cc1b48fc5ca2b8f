"""Super-resolution of well-known photos: training crops, the seven test photos, and the table of a trained model.

python -m benchmarks.super_resolution crops FOLDER OUT [--size 64] [--count 6000]
python -m benchmarks.super_resolution photos SKIMAGE_DATA OUT
python -m benchmarks.super_resolution train RECIPE PREPARED OUT [--minutes 4]
python -m benchmarks.super_resolution scores MODEL PREPARED [--count 2000]
python -m benchmarks.super_resolution table MODEL PHOTOS [--pictures OUT.png]

FOLDER holds photos for training, SKIMAGE_DATA is skimage/data of scikit-image, PREPARED the folder of the stage
`prepare`. `train` stops after so many minutes; the same command again continues. `scores` compares with the test rows:
PSNR of luma without a border of 4 pixels, and the Frechet distance of EfficientNet-Lite0's maps, of pictures at twice
their size. `table` follows BasicSR: RGB, border 4, SSIM without edges, means over photos.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images
from torch import Tensor

from ganops.data.fields.image import ImageField
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.evaluation.baselines import alternatives_of, baselines_of
from ganops.evaluation.frechet import frechet_distance
from ganops.evaluation.held_out import held_out
from ganops.evaluation.metrics.consistency import downscaled, enlarged
from ganops.evaluation.metrics.perceptual import perceptual_distance
from ganops.evaluation.similarity import luma_of_video, psnr, ssim, without_border
from ganops.evaluation.statistics import Statistics, StatisticsGatherer
from ganops.games.game import Game
from ganops.games.sampling import sample
from ganops.games.saved import SavedModel, load_description, load_game, save_game
from ganops.networks.image_features.features import IMAGE_FEATURES, ImageFeatures
from ganops.params import TrainParams
from ganops.recipe import load_recipe
from ganops.training.interruption import Interruption
from ganops.training.job import TrainingJob

PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")  # of scikit-image
MULTIPLE = 12  # sides are cut to it, so that factors of 2, 3 and 4 divide them
LARGEST = 2000  # longer photos are made smaller first: single pixels of large ones show little
FEWEST_LEVELS = 6.0  # mean difference of neighbours in grey levels: crops of sky and walls teach nothing
BORDER = 4
SHOWN = {"chelsea": (110, 130), "astronaut": (30, 180), "motorcycle_left": (230, 250), "flower": (150, 330)}
PIECE, ZOOM = 96, 2
MAPS = {"block4": 1.0, "block10": 1.0}  # 152 numbers a picture, as means over positions


def crops(folder: Path, out: Path, size: int, count: int) -> None:
    """Write `count` PNG files of random pieces with detail, the same ones each time."""
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


class _Timer(Interruption):
    """Asks a training to stop after some time."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        self.end = time.monotonic() + 60 * minutes

    def requested(self) -> bool:
        """Whether the time is over."""
        self.reason = "the time is over"
        return time.monotonic() > self.end


def train(recipe: Path, prepared: Path, out: Path, minutes: float) -> None:
    """Continue a training of the recipe; write its model when it has ended."""
    manifest, rules = read_manifest(prepared), load_recipe(recipe)
    job = TrainingJob(recipe.stem, rules, TrainParams(sample_times=1), 7, manifest.spec, manifest.digest)
    trainer = job.build([read_packed(prepared, "train")], out, held_out=held_out(prepared, job.spec, "evaluation", 64))
    trainer.run(_Timer(minutes))
    save_game(out / "model", trainer.game, SavedModel(name=recipe.stem, recipe=rules, spec=job.spec), trainer.weights())
    print(f"{trainer.step} steps in {trainer.seconds:.0f} s", trainer.parameter_counts(), trainer.health.events)


def scores(model: Path, prepared: Path, count: int) -> None:
    """Print the Markdown table of the test rows."""
    game, spec = load_game(model), load_description(model).spec
    task = enlarged(game.task)
    assert task is not None, "the model does not enlarge images"
    rows = held_out(prepared, spec, "evaluation", count)
    rivals = {**baselines_of(game.task), **alternatives_of(game)}
    perceptual = IMAGE_FEATURES.build({"kind": "efficientnet-lite0"}, "benchmark")
    maps = IMAGE_FEATURES.build({"kind": "efficientnet-lite0", "layers": MAPS}, "benchmark")
    print("| | PSNR of luma | Frechet distance | perceptual | consistency, dB |\n| --- | --- | --- | --- | --- |")
    real = None
    for name in (*rivals, "final"):
        found = [
            (each.inputs, each.truth, each.outputs if name == "final" else rivals[name].answer(each.inputs))
            for each in sample(game, len(rows.rows), 7, held_out=rows)
        ]
        small, truth, made = (
            torch.cat([each[place][column] for each in found])
            for place, column in ((0, task[0]), (1, task[1]), (2, task[1]))
        )
        inside, other = (luma_of_video(without_border(images, BORDER)) for images in (made, truth))
        real = real or _statistics(truth, maps)
        distance = frechet_distance(_statistics(made, maps), real)
        near = perceptual_distance(perceptual, made, truth)
        values = (float(each.mean()) for each in (psnr(inside, other), near, psnr(downscaled(made, task[2]), small)))
        decibels, looks, consistency = values
        print(f"| {name} | {decibels:.2f} | {distance:.3f} | {looks:.3f} | {consistency:.1f} |", flush=True)


def _statistics(images: Tensor, features: ImageFeatures) -> Statistics:
    gatherer = StatisticsGatherer()
    for some in torch.split(images, 250):
        with torch.no_grad():
            large = F.interpolate(some.float() / 127.5 - 1, scale_factor=2.0, mode="bilinear", align_corners=False)
            gatherer.add(torch.cat([each.mean(dim=(2, 3)) for each in features(large)], dim=1))
    return gatherer.result()


def table(model: Path, folder: Path, pictures: Path | None) -> None:
    """Print the Markdown table, and draw pieces of some photos side by side."""
    game = load_game(model)
    task = enlarged(game.task)
    assert task is not None, "the model does not enlarge images"
    factor, features = task[2], IMAGE_FEATURES.build({"kind": "efficientnet-lite0"}, "benchmark")
    scores, drawn = dict[str, list[list[float]]](), list[Image.Image]()
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
            drawn.append(_side_by_side(file.stem, found | {"truth": truth}))
    print("| | PSNR | SSIM | perceptual (EfficientNet-Lite0) | consistency, dB |\n| --- | --- | --- | --- | --- |")
    for name, rows in scores.items():
        means = np.mean(rows, axis=0)
        print(f"| {name} | {means[0]:.2f} | {means[1]:.4f} | {means[2]:.3f} | {means[3]:.1f} |")
    if pictures is not None:
        height = sum(each.height for each in drawn)
        whole = Image.new("RGB", (max(each.width for each in drawn), height), "white")
        top = 0
        for each in drawn:
            whole.paste(each, (0, top))
            top += each.height
        whole.save(pictures, optimize=True)


def _side_by_side(photo: str, images: Mapping[str, Tensor]) -> Image.Image:
    top, left = SHOWN[photo]
    side = PIECE * ZOOM
    row = Image.new("RGB", (len(images) * (side + 4), side + 16), "white")
    for column, (name, image) in enumerate(images.items()):
        piece = image[0, :, top : top + PIECE, left : left + PIECE].permute(1, 2, 0).numpy()
        row.paste(Image.fromarray(piece).resize((side, side), Image.Resampling.NEAREST), (column * (side + 4), 16))
        ImageDraw.Draw(row).text((column * (side + 4) + 2, 2), name, fill="black")
    return row


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    cut = commands.add_parser("crops")
    cut.add_argument("folder", type=Path)
    cut.add_argument("out", type=Path)
    cut.add_argument("--size", type=int, default=64)
    cut.add_argument("--count", type=int, default=6000)
    seven = commands.add_parser("photos")
    seven.add_argument("skimage", type=Path)
    seven.add_argument("out", type=Path)
    trained = commands.add_parser("train")
    trained.add_argument("recipe", type=Path)
    trained.add_argument("prepared", type=Path)
    trained.add_argument("out", type=Path)
    trained.add_argument("--minutes", type=float, default=4.0)
    compared = commands.add_parser("scores")
    compared.add_argument("model", type=Path)
    compared.add_argument("prepared", type=Path)
    compared.add_argument("--count", type=int, default=2000)
    scored = commands.add_parser("table")
    scored.add_argument("model", type=Path)
    scored.add_argument("photos", type=Path)
    scored.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    if asked.command == "train":
        train(asked.recipe, asked.prepared, asked.out, asked.minutes)
    elif asked.command == "scores":
        scores(asked.model, asked.prepared, asked.count)
    elif asked.command == "crops":
        crops(asked.folder, asked.out, asked.size, asked.count)
    elif asked.command == "photos":
        photos(asked.skimage, asked.out)
    else:
        table(asked.model, asked.photos, asked.pictures)


if __name__ == "__main__":
    main()
