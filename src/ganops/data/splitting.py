"""Train or test, decided by an image's own content, so that adding or removing one never moves another."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ganops.data.image_format import Pixels
from ganops.data.packed import Split

Hashes = NDArray[np.uint8]  # (N, 32): sha256 of each image's content
Rows = NDArray[np.int64]


def hash_images(images: Pixels) -> Hashes:
    """sha256 of each image's pixels, for images (N, ...) that came in no files of their own."""
    digests = b"".join(hashlib.sha256(image.tobytes()).digest() for image in images)
    return np.frombuffer(digests, dtype=np.uint8).reshape(len(images), 32)


def split_by_hash(hashes: Hashes, test_share: float) -> dict[Split, Rows]:
    """The rows of each split: test where the hash, read as a fraction of 1, is below `test_share`."""
    order = hash_order(hashes)
    is_test = (_leading(hashes) / 2.0**64 < test_share)[order]
    return {"train": order[~is_test], "test": order[is_test]}


def hash_order(hashes: Hashes) -> Rows:
    """All rows in the order of their hashes: whatever the files are called, the first n are a fair sample of all."""
    return np.argsort(_leading(hashes), kind="stable").astype(np.int64)


def _leading(hashes: Hashes) -> NDArray[np.uint64]:
    return np.ascontiguousarray(hashes[:, :8]).view(">u8").reshape(-1)
