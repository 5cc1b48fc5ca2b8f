"""The digest is the identity of prepared data: equal data have equal digests, and one pixel makes another."""

from __future__ import annotations

import torch

from ganops.data.digest import digest
from ganops.data.packed import PackedImages

IMAGES = torch.arange(10 * 3 * 8 * 8).reshape(10, 3, 8, 8).to(torch.uint8)
LABELS = torch.arange(10)
TEST = PackedImages(IMAGES[:2], LABELS[:2])


def of(images: torch.Tensor, labels: torch.Tensor | None = LABELS, test: PackedImages = TEST) -> str:
    return digest({"train": PackedImages(images, labels), "test": test})


def test_equal_data_have_equal_digests() -> None:
    assert of(IMAGES) == of(IMAGES.clone(), LABELS.clone())


def test_every_difference_makes_another_digest() -> None:
    pixel, label = IMAGES.clone(), LABELS.clone()
    pixel[9, 2, 7, 7] += 1
    label[0] = 1
    digests = [
        of(IMAGES),
        of(pixel),
        of(IMAGES, label),
        of(IMAGES, None),
        of(IMAGES.flip(0)),
        of(IMAGES.reshape(10, 3, 4, 16)),
        of(IMAGES, test=PackedImages(IMAGES[:3], LABELS[:3])),
        of(IMAGES, test=PackedImages(IMAGES[:2])),
    ]
    assert len(set(digests)) == len(digests)


def test_large_data_are_digested_whole() -> None:
    """Past the number of rows that are hashed at once."""
    many = torch.zeros(5000, 1, 8, 8, dtype=torch.uint8)
    changed = many.clone()
    changed[-1, 0, 0, 0] = 1
    assert of(many, None) != of(changed, None)
