"""One picture of the families of GANs side by side, from short trainings of shipped recipes.

python -m benchmarks.families NAME ... [--minutes 3] [--folder build/families] [--photos ZIP]
python -m benchmarks.families --draw docs/pictures/families.png

The first form trains the named families (all when none is named) on one thread and leaves a panel and its facts in
FOLDER. A trial of some seconds shows how many images fit into --minutes of processor time; schedules end with it.
Ended early, the same command resumes from the checkpoint. The second form draws all panels that are there.

Recipes are as shipped but for their budget. Samples are the first ones of seed 0: none is picked by hand.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from ganops.atomic import write_json
from ganops.data.fields.captions import INK, font
from ganops.data.fields.pictures import image_grid, save_png, scatter
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import read_domains
from ganops.data.prepare import prepare
from ganops.data.rows import Rows
from ganops.evaluation.held_out import held_out, task_rows
from ganops.games.build import recipe_spec
from ganops.games.game import Game
from ganops.games.sampling import draw_latents, sample
from ganops.params import DataParams, TrainParams
from ganops.progress import progress
from ganops.recipe import Recipe, load_recipe
from ganops.training.interruption import watch_for_interruption
from ganops.training.job import TrainingJob
from ganops.training.trainer import Trainer

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
SIDE, PIXELS = 6, 64  # images in a row and in a column of a panel; height and width of each
PANEL, GAP, CAPTION, COLUMNS = SIDE * (PIXELS + 2) + 2, 14, 46, 4
TRIAL_SECONDS, TRIAL_STEPS = 3.0, 17  # as many steps as contain a penalty of every 16th
COLOURS = 200

Draw = Callable[[Trainer, Path], Image.Image]


@dataclass(frozen=True)
class Family:
    """One panel: what it shows, the recipe, the data, and how a trained game is drawn."""

    title: str
    recipe: str
    data: str
    params: dict[str, Any]
    draw: Draw


def samples(trainer: Trainer, _prepared: Path) -> Image.Image:
    """The first samples."""
    found = next(iter(sample(trainer.game, SIDE * SIDE, seed=0)))
    return _grid(found.outputs["image"])


def points(trainer: Trainer, _prepared: Path) -> Image.Image:
    """2,500 points of the plane."""
    drawn = [each.outputs["vector"] for each in sample(trainer.game, 2500, seed=0)]
    return scatter(torch.cat(drawn)).resize((PANEL, PANEL), Image.Resampling.LANCZOS)


def figure(name: str) -> Draw:
    """The first rows and columns of one figure of the game."""

    def draw(trainer: Trainer, prepared: Path) -> Image.Image:
        game = trainer.game
        latents = draw_latents(game.task.latents, SIDE, 0)
        assert latents is not None
        rows = held_out(prepared, trainer.data.spec, "evaluation").rows.select(torch.arange(SIDE))
        modelled = Rows({key: trainer.data.spec.fields[key].to_model(column) for key, column in rows.items()})
        with torch.no_grad():
            shown = game.figures(latents, modelled)[name]
        return _grid(shown.field.to_storage(shown.modelled)[: SIDE * SIDE])

    return draw


def translations(columns: tuple[str, ...]) -> Draw:
    """Source, output and, where it is known, the truth, several times in a row; half the rows for each task.

    Small sources are shown in the size of the outputs, grey ones in as many channels.
    """

    def draw(trainer: Trainer, prepared: Path) -> Image.Image:
        game, spec = trainer.game, trainer.data.spec
        count = SIDE * SIDE // len(columns) // len(game.tasks)
        shown = list[Tensor]()
        for name, task in game.tasks.items():
            rows = task_rows(task, prepared, spec, count)
            found = next(iter(sample(game, count, seed=0, task=name, held_out=rows)))
            assert found.inputs is not None
            parts = {"source": found.inputs, "output": found.outputs, "truth": found.truth}
            images = [next(iter(part.values())) for key in columns if (part := parts[key]) is not None]
            largest, most = max(image.shape[-1] for image in images), max(image.shape[1] for image in images)
            images = [F.interpolate(image, largest).expand(-1, most, -1, -1) for image in images]
            shown += [torch.stack(images, dim=1).flatten(0, 1)]
        return _grid(torch.cat(shown))

    return draw


def families(photos: Path | None) -> dict[str, Family]:
    """All panels by name, in the order of the picture. photos: a zip file for the families of photos."""
    grey = {"image_size": 32, "channels": 1}
    horses: tuple[str, dict[str, Any]] = "horses", {"source": "images", "path": photos}
    return {
        "noise": Family("From noise", "ali", "Fashion-MNIST", {"source": "fashion-mnist", **grey}, samples),
        "class": Family("Of a class", "cgan", "MNIST", {"source": "mnist", **grey}, figure("classes")),
        "photos": Family("From 1,500 photos", "fastgan", *horses, samples),
        "pairs": Family(
            *("Pairs: source, output, truth", "pix2pix", "glyphs in two fonts"),
            *({"source": "glyphs-pairs", **grey}, translations(("source", "output", "truth"))),
        ),
        "repair": Family(
            *("Repair: noisy, output, truth", "denoise", "MNIST"),
            *({"source": "mnist", **grey}, translations(("source", "output", "truth"))),
        ),
        "colours": Family(
            "Colours: grey, output, truth", "colourise", *horses, translations(("source", "output", "truth"))
        ),
        "larger": Family("Larger: small, output, truth", "srgan", *horses, translations(("source", "output", "truth"))),
        "modes": Family("25 modes of a plane", "points", "grid2d", {"source": "grid2d"}, points),
    }


def _grid(images: Tensor) -> Image.Image:
    return image_grid(images, SIDE, scale=PIXELS // images.shape[-1])


def fitted(trainer_of: Callable[[Recipe, Path], Trainer], recipe: Recipe, seconds: float, folder: Path) -> Recipe:
    """The recipe with the budget that `seconds` allow, but not more than its own, by a trial of its speed."""
    trainer = trainer_of(recipe, folder)
    trainer.run_step()  # the first one allocates
    began = time.process_time()
    while time.process_time() - began < TRIAL_SECONDS or trainer.step <= TRIAL_STEPS:
        trainer.run_step()
    each = (time.process_time() - began) / (trainer.step - 1)
    kimg = min(recipe.budget_kimg, trainer.plan.kimg(round(seconds / each)))
    return recipe.model_copy(update={"budget_kimg": kimg})


def train(name: str, family: Family, minutes: float, folder: Path) -> None:
    """Prepare, train and draw one family, or resume where an earlier call was ended."""
    prepared, facts_file = folder / name / "data", folder / f"{name}.json"
    manifest = _prepared(family, prepared)
    recipe, settings = load_recipe(RECIPES / f"{family.recipe}.yaml"), TrainParams(compile="never", sample_times=1)
    rows = read_domains(prepared, "train", manifest.spec)

    def trainer_of(recipe: Recipe, checkpoints: Path) -> Trainer:
        held = held_out(prepared, recipe_spec(recipe, manifest.spec), "validation", settings.sample_images)
        job = TrainingJob(name, recipe, settings, 0, manifest.spec, manifest.digest)
        return job.build(rows.values(), checkpoints, held_out=held)

    plan_file = folder / name / "budget.json"
    if not plan_file.exists():
        budget = fitted(trainer_of, recipe, 60 * minutes, folder / name / "trial").budget_kimg
        write_json(plan_file, {"kimg": budget})
    kimg = json.loads(plan_file.read_text(encoding="utf-8"))["kimg"]
    trainer = trainer_of(recipe.model_copy(update={"budget_kimg": kimg}), folder / name / "checkpoints")
    began = time.process_time()
    with watch_for_interruption() as interruption, progress(name, round(1000 * kimg), "img") as bar:
        trainer.run(interruption, bar)
    load_averaged(trainer)
    save_png(family.draw(trainer, prepared), folder / f"{name}.png")
    seconds = time.process_time() - began
    write_json(facts_file, {"recipe": family.recipe, "kimg": round(kimg, 1), "seconds_of_last_call": round(seconds)})


def load_averaged(trainer: Trainer) -> Game:
    """The game with the weights that a saved model has."""
    game = trainer.game.eval()
    for network, weights in trainer.weights().items():
        game.get_submodule(network).load_state_dict(weights)
    return game


def _prepared(family: Family, folder: Path) -> Manifest:
    if not (folder / "manifest.json").exists():
        prepare(DataParams.model_validate(family.params), folder)
    return read_manifest(folder)


def assemble(known: dict[str, Family], folder: Path) -> Image.Image:
    """All panels that are there, four in a row, each with its title, recipe and data below."""
    there = {name: Image.open(folder / f"{name}.png") for name in known if (folder / f"{name}.png").exists()}
    lines = -(-len(there) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * (PANEL + GAP) + GAP, lines * (PANEL + CAPTION + GAP) + GAP), "white")
    draw = ImageDraw.Draw(canvas)
    for place, (name, panel) in enumerate(there.items()):
        left, top = GAP + place % COLUMNS * (PANEL + GAP), GAP + place // COLUMNS * (PANEL + CAPTION + GAP)
        canvas.paste(panel, (left, top))
        family, below = known[name], top + PANEL + 4
        draw.text((left + 2, below), family.title, fill=INK, font=font(21), stroke_width=0)
        draw.text((left + 2, below + 24), f"{family.recipe}, {family.data}", fill="#808080", font=font(17))
    return canvas.quantize(COLOURS, dither=Image.Dither.NONE)


def main() -> None:
    """Train, or draw."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(families(None))}")
    arguments.add_argument("--minutes", type=float, default=3.0, help="processor time of each training, at most")
    arguments.add_argument("--folder", type=Path, default=Path("build/families"))
    arguments.add_argument("--photos", type=Path, help="zip file or folder of photos of one kind of thing")
    arguments.add_argument("--draw", type=Path, help="draw all panels into this file, and train nothing")
    options = arguments.parse_args()
    known = families(options.photos)
    if unknown := set(options.names) - set(known):
        arguments.error(f"unknown: {', '.join(sorted(unknown))}")
    if options.draw:
        save_png(assemble(known, options.folder), options.draw)
        return
    torch.set_num_threads(1)
    for name in options.names or known:
        if name == "photos" and options.photos is None:
            print("photos: left out, --photos names none")
            continue
        train(name, known[name], options.minutes, options.folder)


if __name__ == "__main__":
    main()
