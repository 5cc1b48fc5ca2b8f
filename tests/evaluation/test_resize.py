"""Both ways of resizing give what the libraries they are named after give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from ganops.evaluation.resize import as_rgb, resize_for_extractor

IMAGES = torch.randint(0, 256, (3, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def clean_fid(images: torch.Tensor, size: int) -> torch.Tensor:
    """clean-fid's own recipe: Pillow, each channel as float, bicubic, not rounded, then (x - 128) / 128."""
    resized = [
        np.stack(
            [
                np.asarray(Image.fromarray(channel, mode="F").resize((size, size), Image.Resampling.BICUBIC))
                for channel in image.float().numpy()
            ]
        )
        for image in images
    ]
    return (torch.from_numpy(np.stack(resized)).clamp(0, 255) - 128) / 128


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
@pytest.mark.parametrize("size", [17, 40, 63])
def test_clean_fid_is_pillows_bicubic(size: int) -> None:
    found = resize_for_extractor(IMAGES, size, "clean-fid")
    # Pillow rounds its filter weights to float32 in another order: differences of a few 1e-6 of a grey level's scale.
    torch.testing.assert_close(found, clean_fid(IMAGES, size), rtol=0, atol=2e-5)


@pytest.mark.parametrize("size", [17, 40, 63])
def test_pytorch_fid_is_plain_bilinear(size: int) -> None:
    expected = 2 * F.interpolate(IMAGES.float() / 255, size=(size, size), mode="bilinear", align_corners=False) - 1
    torch.testing.assert_close(resize_for_extractor(IMAGES, size, "pytorch-fid"), expected, rtol=0, atol=0)


def test_the_two_differ() -> None:
    """Shrinking without smoothing aliases: this is why the way of resizing is part of a protocol."""
    one, other = (resize_for_extractor(IMAGES, 16, how) for how in ("pytorch-fid", "clean-fid"))
    assert (one - other).abs().mean() > 0.05


def test_grey_is_repeated() -> None:
    assert torch.equal(as_rgb(IMAGES[:, :1]), IMAGES[:, [0, 0, 0]])
    assert torch.equal(as_rgb(IMAGES), IMAGES)
