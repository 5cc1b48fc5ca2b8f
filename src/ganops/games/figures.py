"""What a game shows of itself beside its samples: whether classes, codes, styles and encoders do what they are for."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.games.game import Figure, Game, Request
from ganops.networks.network import StyleGenerator

MOST_CLASSES = 20  # rows that a person still looks at


def class_rows(game: Game, latents: Tensor) -> Figure:
    """A row for each class, of the first 20; all images of a column are made of the same latent.

    latents: (N, latent_dim), one for each column.
    """
    rows, columns = min(game.class_count, MOST_CLASSES), len(latents)
    labels = torch.arange(rows, device=latents.device).repeat_interleave(columns)
    return Figure(game.generate(Request(latents.repeat(rows, 1), labels)), columns)


def style_mixing(generator: StyleGenerator, latents: Tensor) -> Figure:
    """Coarse styles of one image, fine ones of another (Karras et al. 2018, arXiv:1812.04948, figure 3).

    latents: (N, latent_dim), at least two. The images of the first half stand on the left, those of the second on top;
    row r, column c takes the styles of the first third of its layers, up to some 8 x 8 pixels, from the left image, the
    others from the one on top. A generator of classes makes the first class.
    """
    labels = torch.zeros(len(latents), dtype=torch.long, device=latents.device) if generator.class_count else None
    styles = generator.styles(latents, labels)
    left, top = styles.chunk(2)
    cut, (rows, columns) = styles.shape[1] // 3, (len(left), len(top))
    coarse = left[:, :cut].repeat_interleave(columns, 0)
    mixed = generator.synthesize(torch.cat((coarse, top[:, cut:].repeat(rows, 1, 1)), dim=1))
    beside, above = generator.synthesize(left), generator.synthesize(top)
    corner = torch.ones_like(above[:1])
    lines = [torch.cat((first[None], row)) for first, row in zip(beside, torch.split(mixed, columns), strict=True)]
    return Figure(torch.cat((corner, above, *lines)), columns + 1)


def reconstructions(images: Tensor, again: Tensor, columns: int) -> Figure:
    """Rows of real images (N, C, H, W), each above the row of what was made of them again; whole rows only."""
    columns = min(columns, len(images))
    whole = len(images) // columns * columns
    pairs = zip(torch.split(images[:whole], columns), torch.split(again[:whole], columns), strict=True)
    return Figure(torch.cat([row for pair in pairs for row in pair]), columns)


def varied(codes: Tensor, start: int, values: Tensor) -> Tensor:
    """(V, N, D): all of (N, D) codes once for each of (V, W) values, which replace the W entries from `start` on."""
    many = codes.repeat(len(values), 1, 1)
    many[:, :, start : start + values.shape[1]] = values[:, None]
    return many
