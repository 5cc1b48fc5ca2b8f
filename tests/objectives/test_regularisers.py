"""Path lengths, orthogonality, consistency and mutual information against answers known otherwise."""

from __future__ import annotations

import math

import pytest
import torch
from playing import spec_of

from ganops.networks.network import NETWORKS, StyleGenerator
from ganops.objectives.consistency import consistency
from ganops.objectives.mutual_information import categorical_information, split_codes, uniform_information
from ganops.objectives.orthogonal import orthogonal_penalty
from ganops.objectives.path_length import path_length_penalty, path_lengths


def test_path_lengths_are_those_of_finite_differences() -> None:
    """J^T y of a StyleGAN2 generator, each entry as a central difference, in float64."""
    torch.manual_seed(0)
    section = {"kind": "stylegan2-generator", "width": 3, "max_width": 4, "latent_dim": 3, "mapping": 1}
    generator = NETWORKS.build(section, "test", spec_of(1, 8)).double().eval()
    assert isinstance(generator, StyleGenerator)
    styles = torch.randn(2, 4, 3, dtype=torch.float64)
    noise = torch.randn(2, 1, 8, 8, dtype=torch.float64)

    def moved(sample: int, layer: int, dim: int, step: float) -> float:
        changed = styles.clone()
        changed[sample, layer, dim] += step
        return (generator.synthesize(changed) * noise).sum().item() / 8  # sqrt(8 * 8)

    step, expected = 1e-5, torch.empty_like(styles)
    for index in torch.cartesian_prod(*(torch.arange(size) for size in styles.shape)).tolist():
        expected[tuple(index)] = (moved(*index, step) - moved(*index, -step)) / (2 * step)
    lengths = path_lengths(generator.synthesize(styles.requires_grad_()), styles, noise)
    # A central difference is off by step^2 times a third derivative, and by rounding over step: both below 1e-7.
    torch.testing.assert_close(lengths, expected.square().sum(dim=2).mean(dim=1).sqrt(), atol=1e-6, rtol=1e-6)


def test_path_length_of_a_scaling_is_its_factor() -> None:
    """y = 3 w, one pixel per style entry: J^T n = 3 n / sqrt(H W)."""
    styles = torch.randn(2, 1, 16, requires_grad=True)
    noise = torch.randn(2, 1, 4, 4)
    lengths = path_lengths(3 * styles.view(2, 1, 4, 4), styles, noise)
    torch.testing.assert_close(lengths, 3 * noise.flatten(1).norm(dim=1) / 4)
    assert path_length_penalty(torch.tensor([1.0, 4.0]), torch.tensor(2.0)).item() == pytest.approx(2.5)


def test_orthogonal_filters_cost_nothing_however_long() -> None:
    assert orthogonal_penalty([torch.diag(torch.tensor([3.0, 5.0]))]).item() == 0
    overlapping = torch.tensor([[1.0, 0.0], [2.0, 1.0]])  # inner product 2, counted twice, squared
    assert orthogonal_penalty([overlapping, overlapping]).item() == pytest.approx(16.0)


def test_consistency_is_a_mean_square() -> None:
    assert consistency(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0])).item() == pytest.approx(2.5)


def test_a_sure_and_right_guess_of_a_category_is_worth_all_of_its_entropy() -> None:
    codes = torch.eye(10)
    assert categorical_information(100 * codes, codes).item() == pytest.approx(math.log(10), abs=1e-5)
    assert categorical_information(torch.zeros(10, 10), codes).item() == pytest.approx(0.0, abs=1e-6)


def test_information_through_gaussian_noise_is_what_the_closed_form_says() -> None:
    """Q = N(c + noise, s) on codes seen through noise of deviation s: log 2 - 1/2 log(2 pi e s^2) nats."""
    torch.manual_seed(0)
    deviation, count = 0.1, 200_000
    codes = torch.rand(count, 1) * 2 - 1
    seen = codes + deviation * torch.randn(count, 1)
    bound = uniform_information(seen, torch.full_like(seen, math.log(deviation)), codes)
    expected = math.log(2) - 0.5 * math.log(2 * math.pi * math.e * deviation**2)
    assert bound.item() == pytest.approx(expected, abs=0.01)  # standard error 1 / sqrt(2 n) = 0.0016


def test_codes_are_the_last_of_the_latents() -> None:
    latents = torch.arange(10.0)[None]
    (category,), uniform = split_codes(latents, [3], 2)
    assert category.tolist() == [[5.0, 6.0, 7.0]]
    assert uniform.tolist() == [[8.0, 9.0]]
