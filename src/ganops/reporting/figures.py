"""Pictures of what a game shows of itself: rows of classes, swept codes, reconstructions, mixed styles."""

from __future__ import annotations

import torch
from PIL import Image

from ganops.data.packed import PackedImages, are_vectors
from ganops.games.game import Batch, Game
from ganops.games.sampling import draw_latents, to_float, to_packed
from ganops.data.fields.pictures import image_grid

COLUMNS, REAL_IMAGES = 10, 20


@torch.no_grad()
def draw_figures(game: Game, real: PackedImages, seed: int, scale: int | None = None) -> dict[str, Image.Image]:
    """The pictures by name; none for a plain game, and none for vectors, which are no images.

    game: in eval mode. real: images of the shape that it makes, some of which it may work on. seed: of latents, and of
    which real images these are. scale: as of `image_grid`.
    """
    if are_vectors(real.images):
        return {}
    device = next(game.parameters()).device
    some = real.some(min(REAL_IMAGES, len(real)), seed)
    batch = Batch(to_float(some.images).to(device), None if some.labels is None else some.labels.to(device))
    latents = draw_latents(COLUMNS, game.latent_dim, seed).to(device)
    shown = game.figures(latents, batch)
    return {name: image_grid(to_packed(each.images).cpu(), each.columns, scale) for name, each in shown.items()}
