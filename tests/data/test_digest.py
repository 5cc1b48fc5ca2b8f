"""The digest is the identity of prepared data: equal data have equal digests, and one pixel makes another."""

from __future__ import annotations

import pytest
import torch

from ganops.data import packed
from ganops.data.digest import digest
from ganops.data.rows import Rows

IMAGES = torch.arange(10 * 3 * 8 * 8).reshape(10, 3, 8, 8).to(torch.uint8)
LABELS = torch.arange(10)
TEST = Rows({"image": IMAGES[:2], "label": LABELS[:2]})


def of(images: torch.Tensor, labels: torch.Tensor | None = LABELS, test: Rows = TEST) -> str:
    train = Rows({"image": images} if labels is None else {"image": images, "label": labels})
    return digest({"train": train, "test": test})


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
        of(IMAGES, LABELS.int()),
        of(IMAGES.flip(0)),
        of(IMAGES.reshape(10, 3, 4, 16)),
        of(IMAGES, test=TEST.select(slice(0, 1))),
        of(IMAGES, test=TEST.only(["image"])),
        digest({"train": Rows({"picture": IMAGES, "label": LABELS}), "test": TEST}),
    ]
    assert len(set(digests)) == len(digests)


def test_the_size_of_a_piece_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of(IMAGES)
    monkeypatch.setattr(packed, "PIECE_BYTES", 400)  # two images
    assert of(IMAGES) == whole
    changed = IMAGES.clone()
    changed[-1, 0, 0, 0] += 1
    assert of(changed) != whole


def test_a_split_may_be_empty() -> None:
    assert of(IMAGES, test=TEST.select(slice(0, 0))) != of(IMAGES)
