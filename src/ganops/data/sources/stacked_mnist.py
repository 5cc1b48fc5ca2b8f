"""Stacked MNIST: three random digits as the red, green and blue of one image; 1000 modes that can be counted.

L. Metz et al., Unrolled GANs (2016), arXiv:1611.02163; counted as in VEEGAN (Srivastava et al. 2017, arXiv:1705.07761)
and PacGAN (Lin et al. 2017, arXiv:1712.04086, section 4.2): 128,000 images to train on, 26,000 generated ones to count.
The papers draw from all 70,000 digits; here the test images consist of MNIST's test digits, which training never shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.image_format import ImageFormat
from ganops.data.packed import SPLITS, RowIndices, Split
from ganops.data.raw_dataset import RawDataset
from ganops.data.sources.mnist import Mnist
from ganops.data.sources.source import SOURCES, Source, SourceContext
from ganops.data.spec import IMAGE, LABEL
from ganops.errors import SettingsError

CHANNELS: Literal[3] = 3
NATURAL = ImageFormat(28, CHANNELS)
COUNTS: dict[Split, int] = {"train": 128_000, "test": 26_000}
SEED = 20161107  # which digits are combined is part of the data set: the same for every seed of a training


@SOURCES.add("stacked-mnist")
class StackedMnist(Source):
    """Images of MNIST's digits, read as the source `mnist` reads them; the class is the number they spell."""

    def locate(self, roots: Sequence[Path]) -> list[Path] | None:
        """MNIST's files."""
        return Mnist().locate(roots)

    def collect(self, context: SourceContext) -> RawDataset:
        """The combinations that SEED draws; raises SettingsError where `data.channels` is 1."""
        form = context.image_format(NATURAL)
        if form.channels != CHANNELS:
            raise SettingsError(
                "data.channels does not fit data.source 'stacked-mnist', where each channel is a digit",
                code="channels-mismatch",
                expected="3 or auto",
                found=str(form.channels),
                action="set data.channels to auto",
            )
        digits = Mnist().collect(replace(context, params=context.params.model_copy(update={"channels": 1})))
        generator = torch.Generator().manual_seed(SEED)
        drawn = {split: _draw(digits.rows[split], count, generator) for split, count in COUNTS.items()}
        together = np.concatenate([drawn[split] for split in SPLITS])
        names = Mnist.classes
        return RawDataset(
            fields={
                IMAGE: ImageField(channels=form.channels, size=form.size),
                LABEL: CategoryField(
                    classes=tuple("".join(number) for number in product(names, repeat=CHANNELS)), channel_classes=names
                ),
            },
            columns={
                IMAGE: digits.columns[IMAGE][together, 0],
                LABEL: np.ravel_multi_index(tuple(digits.columns[LABEL][together].T), (len(names),) * CHANNELS),
            },
            rows={"train": np.arange(COUNTS["train"]), "test": np.arange(COUNTS["train"], len(together))},
            split_by="published",
            origin="drawn from MNIST's IDX files",
        )


def _draw(rows: RowIndices, count: int, generator: torch.Generator) -> RowIndices:
    """(count, 3) out of `rows`, with replacement."""
    drawn: RowIndices = rows[torch.randint(len(rows), (count, CHANNELS), generator=generator).numpy()]
    return drawn
