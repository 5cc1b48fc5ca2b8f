"""Real-ESRGAN's degradation: its kernels, its sharpening, and what the two passes do to a photo."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_images
from torch import Tensor

from ganops.data.derived.blur_kernels import Dice, gaussian_kernel, low_pass_kernel, random_blur
from ganops.data.derived.degraded import Degraded, Pass
from ganops.data.derived.sharpening import SIGMA, sharpened
from ganops.data.fields.image import ImageField

SHAPES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)


def photo(size: int = 64) -> Tensor:
    pixels = torch.from_numpy(load_sample_images().images[1].copy()).permute(2, 0, 1)[None].float()
    return pixels[:, :, 100 : 100 + size, 200 : 200 + size] / 127.5 - 1


def test_a_gaussian_is_the_product_of_two_and_turns() -> None:
    line = torch.exp(-0.5 * (torch.arange(-3, 4, dtype=torch.float64) / 1.5) ** 2)
    line = line / line.sum()
    torch.testing.assert_close(gaussian_kernel(7, 1.5, 1.5, 0.3, 1.0), line[:, None] * line)
    flat = gaussian_kernel(9, 3.0, 0.5, 0.0, 1.0)
    assert flat[4, 0] > flat[0, 4]
    torch.testing.assert_close(gaussian_kernel(9, 3.0, 0.5, pi / 2, 1.0), flat.T)


def test_powers_make_sharper_and_flatter_shapes() -> None:
    """Relative to the middle: exp(-q^power / 2) at a distance of half and of two standard deviations."""
    peaked, round_, flat = (gaussian_kernel(21, 2.0, 2.0, 0.0, power) for power in (0.5, 1.0, 4.0))
    near, far = ([float(each[10, 10 + step] / each[10, 10]) for each in (peaked, round_, flat)] for step in (1, 4))
    assert near == sorted(near)
    assert far == sorted(far, reverse=True)
    plateau = gaussian_kernel(21, 3.0, 3.0, 0.0, 2.0, plateau=True)
    assert plateau[10, 11] / plateau[10, 10] == pytest.approx(1 / (1 + 1 / 81))


def test_a_low_pass_keeps_what_lies_below_its_cutoff() -> None:
    response = torch.fft.fft2(low_pass_kernel(pi / 2, 21), s=(64, 64)).abs()
    assert response[0, :8].min() > 0.85
    assert response[0, 24:33].max() < 0.1
    assert low_pass_kernel(pi / 2, 21).min() < 0, "it rings"


def test_random_kernels_sum_to_one_and_have_all_sizes() -> None:
    dice = Dice(torch.Generator().manual_seed(0))
    kernels = [random_blur(dice, (0.2, 3.0), SHAPES, 0.1) for _ in range(200)]
    assert {len(kernel) for kernel in kernels} == set(range(7, 22, 2))
    assert all(float(kernel.sum()) == pytest.approx(1) for kernel in kernels)


def test_sharpening_is_that_of_the_formula_and_leaves_flat_parts_alone() -> None:
    """I + mask (0.5 detail), clipped; mask: the blurred places whose detail is above 10 levels."""
    image = photo(64)
    pixels = (image[0].numpy().astype(np.float64) + 1) / 2

    def blurred(values: np.ndarray) -> np.ndarray:
        return np.stack([gaussian_filter(each, SIGMA, mode="nearest", truncate=25 / SIGMA) for each in values])

    detail = pixels - blurred(pixels)
    mask = blurred((np.abs(detail) > 10 / 255).astype(np.float64))
    expected = mask * np.clip(pixels + 0.5 * detail, 0, 1) + (1 - mask) * pixels
    torch.testing.assert_close(sharpened(image.double())[0], torch.from_numpy(2 * expected - 1), rtol=0, atol=1e-6)
    faint = torch.full((1, 1, 16, 16), 0.2) + 0.02 * torch.rand(1, 1, 16, 16)
    torch.testing.assert_close(sharpened(faint), faint)


@pytest.mark.parametrize(("factor", "channels"), [(1, 3), (2, 1), (4, 3)])
def test_a_photo_becomes_small_and_worse_but_stays_the_same_photo(factor: int, channels: int) -> None:
    images = photo(64).expand(20, -1, -1, -1)[:, :channels]
    degraded = Degraded(factor=factor)
    made = degraded.derive(images, torch.Generator().manual_seed(0))
    assert made.shape == (20, channels, 64 // factor, 64 // factor)
    assert degraded.field(ImageField(channels=channels, size=64)).shape == made.shape[1:]
    levels = (made + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-4)
    assert made.abs().max() <= 1
    clear = torch.nn.functional.interpolate(images, made.shape[2:], mode="area")
    errors = (made - clear).abs().mean(dim=(1, 2, 3))
    assert errors.min() > 0.005
    assert errors.max() / errors.min() > 1.2, "every few images have other damage"
    assert (made.mean() - images.mean()).abs() < 0.05


def test_without_damage_only_the_size_changes() -> None:
    nothing = Pass(blur=0.0, resize=(0.0, 0.0, 1.0), noise=(1e-3, 1e-3), shot=(1e-6, 1e-6), quality=(100.0, 100.0))
    small = Degraded(factor=2, sharpen=False, first=nothing, second=nothing, low_pass=0.0).derive(photo())
    assert (small - torch.nn.functional.interpolate(photo(), (32, 32), mode="area")).abs().mean() < 0.06
