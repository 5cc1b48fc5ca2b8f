"""Pictures that every evaluation leaves: samples, latent interpolations, the samples nearest to training rows."""

from __future__ import annotations

from pathlib import Path

from ganops.data.fields.image import first_image
from ganops.data.packed import read_packed
from ganops.evaluation.evaluator import SHOWN_PAIRS, SHOWN_SAMPLES, Evaluation
from ganops.evaluation.latent_interpolation import latent_interpolations
from ganops.evaluation.metric import Picture
from ganops.evaluation.neighbours import neighbour_grid
from ganops.games.game import Game
from ganops.games.sampling import HeldOut
from ganops.games.task import Task

PATHS, STEPS = 8, 10


def samples_picture(found: Evaluation, task: Task) -> dict[str, Picture]:
    """The first samples that were scored."""
    for name, field in task.outputs.items():
        image = field.draw(found.samples[name])
        if image is not None:
            shown = min(SHOWN_SAMPLES, len(found.samples))
            return {"samples": Picture("Samples", f"The first {shown} that were scored, not picked by hand.", image)}
    return {}


def interpolations_picture(game: Game, seed: int, held_out: HeldOut | None) -> dict[str, Picture]:
    """Rows of interpolations; none for a task without latents, or whose outputs cannot be seen."""
    output = first_image(game.task.outputs)
    if output is None:
        return {}
    found = latent_interpolations(game, PATHS, STEPS, seed, held_out, output)
    image = None if found is None else game.task.outputs[output].draw(found, STEPS)
    if image is None:
        return {}
    caption = "Each row goes from one latent to another: every step should be small and plausible."
    return {"interpolations": Picture("Interpolations", caption, image)}


def neighbours_picture(found: Evaluation, prepared: Path) -> dict[str, Picture]:
    """The samples that lie nearest to a training image, each with that image; images only."""
    if found.closest is None or found.column is None or found.closest.samples.ndim != 4:
        return {}
    train = read_packed(prepared, "train")[found.column][found.closest.rows]
    image = neighbour_grid(found.closest.samples, train, found.closest.distances)
    caption = f"The {SHOWN_PAIRS} samples nearest to a training image: pairs that look the same are copies."
    return {"neighbours": Picture("Nearest training images", caption, image)}
