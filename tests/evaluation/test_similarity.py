"""PSNR and SSIM: torchmetrics' numbers on the same pictures, and what follows from the definitions."""

from __future__ import annotations

from math import log10

import pytest
import torch
from torch import Tensor

from ganops.evaluation.similarity import MOST_DECIBELS, psnr, ssim


def pictures(channels: int, size: int, count: int = 6) -> tuple[Tensor, Tensor]:
    """Smooth pictures, and the same under noise that grows from one to the next."""
    generator = torch.Generator().manual_seed(size)
    coarse = torch.rand(count, channels, 6, 6, generator=generator) * 255
    truth = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 255)
    noise = torch.randn(truth.shape, generator=generator) * torch.linspace(2, 60, count).view(-1, 1, 1, 1)
    return (truth + noise).clamp(0, 255).to(torch.uint8), truth.to(torch.uint8)


@pytest.mark.parametrize(("channels", "size"), [(1, 16), (3, 28), (1, 32), (3, 64)])
def test_equal_torchmetrics(channels: int, size: int) -> None:
    image = pytest.importorskip("torchmetrics.functional.image")
    outputs, truth = pictures(channels, size)
    pair = outputs.double(), truth.double()
    options = {"data_range": 255.0, "reduction": "none"}
    expected = image.peak_signal_noise_ratio(*pair, dim=(1, 2, 3), **options)
    torch.testing.assert_close(psnr(outputs, truth), expected, rtol=1e-6, atol=1e-6)
    expected = image.structural_similarity_index_measure(*pair, **options)
    torch.testing.assert_close(ssim(outputs, truth), expected, rtol=1e-6, atol=1e-6)


def test_a_constant_difference_by_hand() -> None:
    """Every pixel 10 levels off: 20 log10(255 / 10)."""
    truth = torch.full((2, 1, 16, 16), 100, dtype=torch.uint8)
    assert psnr(truth + 10, truth).tolist() == pytest.approx([20 * log10(25.5)] * 2)
    # No structure on either side: only the means' term is left.
    c1 = 2.55**2
    assert ssim(truth + 10, truth).tolist() == pytest.approx([(2 * 110 * 100 + c1) / (110**2 + 100**2 + c1)] * 2)


@pytest.mark.parametrize("size", [8, 11, 32])
def test_equal_pictures_have_finite_values(size: int) -> None:
    outputs, _ = pictures(3, size)
    assert psnr(outputs, outputs).tolist() == [MOST_DECIBELS] * 6
    assert ssim(outputs, outputs).tolist() == pytest.approx([1] * 6)


@pytest.mark.parametrize("size", [8, 10, 11, 64])
def test_more_noise_is_less_alike(size: int) -> None:
    outputs, truth = pictures(3, size)
    for values in (psnr(outputs, truth), ssim(outputs, truth)):
        assert torch.equal(values, values.sort(descending=True).values)
