"""Many images at once take the same form as one."""

from __future__ import annotations

import numpy as np
import pytest

from ganops.data.image_format import ImageFormat, to_formats

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (3, 28, 28), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


def test_images_of_the_asked_form_keep_every_pixel() -> None:
    assert (to_formats(GREY, ImageFormat(28, 1)) == GREY[:, None]).all()
    assert (to_formats(COLOUR, ImageFormat(32, 3)) == COLOUR.transpose(0, 3, 1, 2)).all()


def test_grey_becomes_three_equal_channels() -> None:
    packed = to_formats(GREY, ImageFormat(28, 3))
    assert all((packed[:, channel] == GREY).all() for channel in range(3))


def test_colour_becomes_luma() -> None:
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])
    # Pillow computes with 16-bit fractions and rounds.
    assert np.abs(to_formats(COLOUR, ImageFormat(32, 1))[:, 0] - luma).max() <= 0.51


@pytest.mark.parametrize("size", [8, 32, 64])
def test_flat_images_stay_flat_at_any_size(size: int) -> None:
    flat = np.full((2, 28, 28), 77, dtype=np.uint8)
    packed = to_formats(flat, ImageFormat(size, 1))
    assert packed.shape == (2, 1, size, size)
    assert (packed == 77).all()
