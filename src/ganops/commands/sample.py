"""Make images with a trained or registered model, as one grid."""

from __future__ import annotations

from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganops.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from ganops.games.game import Game


@click.command(short_help="make images with a trained or registered model")
@click.argument("model", default="models:/ganops@champion")
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=64, show_default=True, help="How many images.")
@click.option("-o", "output", type=click.Path(path_type=Path), default=Path("grid.png"), show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Same seed, same images.")
@click.option("--label", default=None, metavar="CLASS", help="Only this class, for models that make classes.")
@click.option("--columns", type=click.IntRange(1), default=None, help="Images in a row.  [default: a square grid]")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1 ...")
def command(
    model: str, count: int, output: Path, seed: int, label: str | None, columns: int | None, device: str
) -> None:
    """Draw images from MODEL into one PNG.

    MODEL is an address in the registry (models:/ganops@champion, models:/ganops/3), a model folder, or the name of a
    recipe that was trained here.
    """
    import torch

    from ganops.games.sampling import sample_images
    from ganops.games.saved import load_description, load_game
    from ganops.reporting.grids import save_png
    from ganops.reporting.samples import draw_samples

    if device != "cpu" and not torch.cuda.is_available():
        raise click.BadParameter(
            f"torch finds no GPU on this machine, so there is no '{device}'", param_hint="--device"
        )
    folder = model_folder(model)
    game = load_game(folder, device)
    spec = load_description(folder).spec
    labels = _labels(game, spec.classes, label, count)
    images = torch.cat(list(sample_images(game, count, seed, labels=labels)))
    save_png(draw_samples(images, columns or isqrt(count - 1) + 1), output)
    click.echo(f"{output}: {count} {spec.words} from {model}, seed {seed}")


def model_folder(model: str) -> Path:
    """The model folder that `model` means: from the registry, a path, or results/train/<recipe>/model."""
    if model.startswith("models:"):
        from ganops.registry.load import registered_folder
        from ganops.tracking.store import connect

        connect()
        return registered_folder(model)
    places = (Path(model), Path("results/train") / model / "model")
    found = next((place for place in places if (place / "model.json").is_file()), None)
    if found is None:
        trained = sorted(path.parent.parent.name for path in Path("results/train").glob("*/model/model.json"))
        raise ModelError(
            f"there is no model '{model}'",
            expected="models:/NAME@ALIAS, models:/NAME/VERSION, a model folder, or a trained recipe",
            found=f"trained here: {', '.join(trained) or 'nothing yet'}",
            action="train one with `dvc repro`, or correct the name",
        )
    return found


def _labels(game: Game, classes: tuple[str, ...], label: str | None, count: int) -> Tensor | None:
    import torch

    if label is None:
        return None
    if not game.class_count:
        raise ModelError("this model makes no classes", found=f"--label {label}", action="leave out --label")
    if label not in classes:
        raise ModelError(f"there is no class '{label}'", expected=f"one of: {', '.join(classes)}")
    return torch.full((count,), classes.index(label))
