"""What a source hands over: images in the packed form, which rows make up which split, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganops.data.manifest import SplitRule
from ganops.data.mixture import Mixture
from ganops.data.packed import Split
from ganops.data.rejection import Rejection
from ganops.data.splitting import Rows

Samples = NDArray[np.uint8] | NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class RawDataset:
    """images: in the packed form, may be a memory map and hold rows of no split. labels: (N,) or None.

    rows: the rows of `images` that are each split, in order.
    origin: the folder or file the images came from, or its form, without paths of this machine.
    mixture: the distribution they were drawn from, where that is known.
    channel_classes: what a single channel shows, where each is a picture of its own.
    """

    images: Samples
    labels: Labels | None
    rows: Mapping[Split, Rows]
    classes: tuple[str, ...]
    split_by: SplitRule
    origin: str
    rejections: tuple[Rejection, ...] = ()
    mixture: Mixture | None = None
    channel_classes: tuple[str, ...] = ()
