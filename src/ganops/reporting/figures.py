"""Pictures of what a game shows about itself: rows of classes, swept codes, reconstructions, mixed styles."""

from __future__ import annotations

import torch

from ganops.data.derived.derivation import with_derived
from ganops.data.fields.field import modelled_rows
from ganops.data.packed import subsample
from ganops.data.rows import Rows
from ganops.evaluation.metric import Picture
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, draw_latents

COLUMNS, REAL_ROWS = 10, 20


@torch.no_grad()
def draw_figures(game: Game, held_out: HeldOut, seed: int) -> dict[str, Picture]:
    """The pictures by file name without suffix; none for a plain game, and none of fields without rows and columns.

    game: in eval mode. held_out: real rows that the game may work on. seed: of latents, and of which real rows.
    """
    device = next(game.parameters()).device
    batch = _modelled(held_out, seed).to(device)
    latents = draw_latents(game.task.latents, COLUMNS, seed)
    # A game without latents does not look at them.
    figures = game.figures(batch if latents is None else latents.to(device), batch)
    drawn = {
        name: figure.field.draw(figure.field.to_storage(figure.modelled).cpu(), figure.columns)
        for name, figure in figures.items()
        if figure.field.drawn_in_columns
    }
    return {
        name: Picture(figures[name].title, figures[name].caption, image)
        for name, image in drawn.items()
        if image is not None
    }


def _modelled(held_out: HeldOut, seed: int) -> Rows:
    rows, spec = subsample(held_out.rows, min(REAL_ROWS, len(held_out.rows)), seed), held_out.spec
    return with_derived(modelled_rows(rows, spec.fields), spec, torch.Generator().manual_seed(seed))
