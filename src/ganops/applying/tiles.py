"""Pictures of any size in overlapping tiles of one size, and their translations put together without seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import torch
from torch import Tensor

from ganops.errors import SettingsError

MARGIN = 0.25  # share of an overlap, on each side, in which only the tile that is further from its edge counts


@dataclass(frozen=True)
class Tiling:
    """tile: height and width of a tile in source pixels. overlap: at least what neighbours share of these.

    scale: target pixels for each source pixel, along one side.
    """

    tile: int
    overlap: int
    scale: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.tile:
            raise SettingsError(
                "tiles cannot overlap like this",
                code="bad-overlap",
                expected=f"0 to {self.tile - 1} pixels, for tiles of {self.tile}",
                found=str(self.overlap),
                action="set --overlap below --tile",
            )

    def starts(self, length: int) -> list[int]:
        """Where the tiles along a side of `length` pixels start, spread evenly; of a shorter side than a tile: 0."""
        room = length - self.tile
        if room <= 0:
            return [0]
        last = ceil(room / (self.tile - self.overlap))
        return [round(number * room / last) for number in range(last + 1)]

    def weights(self, length: int) -> list[Tensor]:
        """What each pixel of each tile's target counts along one side, (tile * scale,) each; they sum to 1 everywhere.

        A pixel near an inner edge of its tile, where the network saw nothing beyond, does not count; in the middle
        half of an overlap one tile fades into the other.
        """
        starts, size = self.starts(length), self.tile * self.scale
        place = torch.arange(size, dtype=torch.float64) + 0.5
        found = [torch.ones(size, dtype=torch.float64) for _ in starts]
        for number, (before, after) in enumerate(pairwise(starts)):
            shared = self.scale * (before + self.tile - after)
            fading = 1 - 2 * MARGIN
            found[number] *= ((size - place - MARGIN * shared) / (fading * shared)).clamp(0, 1) if shared else 1
            found[number + 1] *= ((place - MARGIN * shared) / (fading * shared)).clamp(0, 1) if shared else 1
        total = torch.zeros(starts[-1] * self.scale + size, dtype=torch.float64)
        for start, weight in zip(starts, found, strict=True):
            total[start * self.scale :][:size] += weight
        return [
            (weight / total[start * self.scale :][:size]).float() for start, weight in zip(starts, found, strict=True)
        ]


def translate_in_tiles(
    tiling: Tiling,
    height: int,
    width: int,
    read: Callable[[int, int], Tensor],
    translate: Callable[[Tensor], Tensor],
    at_once: int = 16,
) -> Iterator[Tensor]:
    """Yield the target of a picture, (C', H * scale, W * scale) floats, in strips from top to bottom.

    read: rows `start` to `end` of the source as (C, rows, W). translate: (n, C, tile, tile), n at most `at_once`, to
    (n, C', tile * scale, tile * scale). In memory are one row of tiles and its target, whatever the height.
    A picture smaller than a tile is mirrored at its right and lower edges.
    """
    tile, scale = tiling.tile, tiling.scale
    rows, across = tiling.starts(height), tiling.starts(width)
    of_rows, of_columns = tiling.weights(height), tiling.weights(width)
    unfinished: Tensor | None = None  # the lower part of the strips so far, which the next row of tiles adds to
    for number, top in enumerate(rows):
        source = _filled(read(top, min(top + tile, height)), tile)
        strip = torch.zeros(0)
        for first in range(0, len(across), at_once):
            places = across[first : first + at_once]
            made = translate(torch.stack([source[:, :, left : left + tile] for left in places])).float().cpu()
            if not len(strip):
                strip = made.new_zeros(made.shape[1], tile * scale, max(width, tile) * scale)
            for left, target, weight in zip(places, made, of_columns[first:], strict=False):
                strip[:, :, left * scale : (left + tile) * scale] += target * weight
        strip *= of_rows[number][:, None]
        if unfinished is not None:
            strip[:, : unfinished.shape[1]] += unfinished
        end = rows[number + 1] if number + 1 < len(rows) else height
        yield strip[:, : (end - top) * scale, : width * scale]
        unfinished = strip[:, (end - top) * scale :]


def _filled(rows: Tensor, tile: int) -> Tensor:
    """(C, H, W) with both sides at least a tile long: mirrored at the right and at the bottom where they are not."""
    for dim in (1, 2):
        length = rows.shape[dim]
        if length < tile:
            there_and_back = torch.cat((torch.arange(length), torch.arange(length).flip(0)))
            rows = rows.index_select(dim, there_and_back.repeat(ceil(tile / len(there_and_back)))[:tile])
    return rows
