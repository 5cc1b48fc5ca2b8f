"""Figures that show what samples do not: classes, codes, styles, reconstructions, translations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.rows import Rows
from ganops.data.spec import LABEL
from ganops.games.game import Figure, Game
from ganops.networks.network import StyleGenerator

MOST_CLASSES = 20  # rows of a figure that a person still looks at


def class_rows(game: Game, latents: Rows) -> Figure:
    """A row for each of the first 20 classes; all images of a column come from the same latents.

    latents: one row for each column.
    """
    task = game.task
    label = task.inputs[LABEL]
    rows = min(len(label.classes) if isinstance(label, CategoryField) else 0, MOST_CLASSES)
    target, field = next(iter(task.outputs.items()))
    columns, device = len(latents), next(iter(latents.values())).device
    labels = torch.arange(rows, device=device).repeat_interleave(columns)
    repeated = latents.map(lambda latent: latent.repeat(rows, *[1] * (latent.ndim - 1)))
    generated = game.generate(repeated.merged({LABEL: labels}))
    return Figure(
        field,
        generated[target],
        columns,
        title="Classes",
        caption="One row for each class; the images of a column come from the same latent.",
    )


def style_mixing(generator: StyleGenerator, latents: Tensor, field: Field) -> Figure:
    """Coarse styles of one image, fine ones of another (Karras et al. 2018, arXiv:1812.04948, figure 3).

    latents: (N, latent_dim), at least two. The images of the first half are on the left, those of the second on top;
    the image in row r and column c takes the styles of the first third of its layers, up to about 8 x 8 pixels, from
    the left image, the others from the one on top. A conditional generator makes the first class.
    """
    labels = torch.zeros(len(latents), dtype=torch.long, device=latents.device) if generator.class_count else None
    styles = generator.styles(latents, labels)
    left, top = styles.chunk(2)
    cut, (rows, columns) = styles.shape[1] // 3, (len(left), len(top))
    coarse = left[:, :cut].repeat_interleave(columns, 0)
    mixed = generator.synthesize(torch.cat((coarse, top[:, cut:].repeat(rows, 1, 1)), dim=1))
    first_column, first_row = generator.synthesize(left), generator.synthesize(top)
    corner = torch.ones_like(first_row[:1])
    lines = [
        torch.cat((first[None], row)) for first, row in zip(first_column, torch.split(mixed, columns), strict=True)
    ]
    return Figure(
        field,
        torch.cat((corner, first_row, *lines)),
        columns + 1,
        title="Style mixing",
        caption="Each image takes its coarse styles from the one on the left and its fine styles from the one on top.",
    )


def reconstructions(field: Field, real: Tensor, reconstructed: Tensor, columns: int) -> Figure:
    """Rows of real images, each above the row of their reconstructions."""
    return Figure(
        field,
        stacked_rows((real, reconstructed), columns),
        min(columns, len(real)),
        title="Reconstructions",
        caption="Rows of real images, each above the row of their reconstructions.",
    )


def stacked_rows(columns_of: Sequence[Tensor], columns: int) -> Tensor:
    """Several (N, ...) tensors interleaved row by row: `columns` of the first, the same of the second, and so on.

    Rows that would not be full are left out.
    """
    columns = min(columns, len(columns_of[0]))
    whole = len(columns_of[0]) // columns * columns
    pieces = zip(*(torch.split(column[:whole], columns) for column in columns_of), strict=True)
    return torch.cat([row for group in pieces for row in group])


def varied(codes: Tensor, start: int, values: Tensor) -> Tensor:
    """(V, N, D): all of (N, D) codes once for each of (V, W) values, which replace the W entries from `start` on."""
    many = codes.repeat(len(values), 1, 1)
    many[:, :, start : start + values.shape[1]] = values[:, None]
    return many
