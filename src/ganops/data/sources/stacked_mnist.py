"""Stacked MNIST: three random digits as the red, green and blue of one image; 1000 modes that can be counted.

L. Metz et al., Unrolled GANs (2016), arXiv:1611.02163; counted as in VEEGAN (Srivastava et al. 2017, arXiv:1705.07761)
and PacGAN (Lin et al. 2017, arXiv:1712.04086, section 4.2): 128,000 images to train on, 26,000 generated ones to count.
The papers draw from all 70,000 digits; here the test images consist of MNIST's test digits, which training never shows.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import torch

from ganops.data.image_format import ImageFormat
from ganops.data.packed import SPLITS, Split
from ganops.data.raw_dataset import RawDataset
from ganops.data.sources import mnist
from ganops.data.splitting import Rows

CHANNELS = 3
COUNTS: dict[Split, int] = {"train": 128_000, "test": 26_000}
SEED = 20161107  # which digits meet is part of the data set: the same for every seed of a training


def collect(form: ImageFormat, home: Path | None, raw: Path) -> RawDataset:
    """Images (N, 3, size, size) of MNIST's digits, taken as `mnist` takes them; the class is the number they spell."""
    digits = mnist.collect("mnist", ImageFormat(form.size, 1), home, raw)
    assert digits.labels is not None
    generator = torch.Generator().manual_seed(SEED)
    drawn = {split: _draw(digits.rows[split], count, generator) for split, count in COUNTS.items()}
    together = np.concatenate([drawn[split] for split in SPLITS])
    return RawDataset(
        images=digits.images[together, 0],
        labels=np.ravel_multi_index(tuple(digits.labels[together].T), (len(digits.classes),) * CHANNELS),
        rows={"train": np.arange(COUNTS["train"]), "test": np.arange(COUNTS["train"], len(together))},
        classes=tuple("".join(number) for number in product(digits.classes, repeat=CHANNELS)),
        split_by="published",
        origin="drawn from MNIST's IDX files",
        channel_classes=digits.classes,
    )


def _draw(rows: Rows, count: int, generator: torch.Generator) -> Rows:
    """(count, 3) out of `rows`, each as likely as any other, again and again."""
    drawn: Rows = rows[torch.randint(len(rows), (count, CHANNELS), generator=generator).numpy()]
    return drawn
