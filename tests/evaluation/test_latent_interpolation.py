"""Walks through latent space keep to the sphere and meet both ends."""

from __future__ import annotations

import torch

from ganops.evaluation.latent_interpolation import slerp


def test_meets_both_ends() -> None:
    a, b = torch.randn(2, 9, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(slerp(a, b, torch.zeros(9, 1)), a, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(slerp(a, b, torch.ones(9, 1)), b, rtol=1e-5, atol=1e-5)


def test_half_way_between_axes() -> None:
    half = slerp(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([[0.5]]))
    torch.testing.assert_close(half, torch.tensor([[2.0**0.5, 2.0**0.5]]))


def test_length_stays() -> None:
    """A straight line would pass near the origin, where no latent lies."""
    a, b = torch.randn(2, 50, 64, generator=torch.Generator().manual_seed(0))
    middle = slerp(a, b, torch.full((50, 1), 0.5)).norm(dim=1)
    torch.testing.assert_close(middle, (a.norm(dim=1) + b.norm(dim=1)) / 2)


def test_equal_ends_stay_where_they_are() -> None:
    a = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(slerp(a, a.clone(), torch.full((4, 1), 0.3)), a, rtol=1e-5, atol=1e-5)


def test_between_opposite_directions_the_way_is_straight() -> None:
    """So it is for latents of one number, such as the component of a mixture, in one of two pairs."""
    a, b = torch.tensor([[1.0], [0.5], [-1.2]]), torch.tensor([[-0.8], [1.5], [0.3]])
    for t in (0.0, 0.25, 0.5, 1.0):
        torch.testing.assert_close(slerp(a, b, torch.full((3, 1), t)), a + t * (b - a))
