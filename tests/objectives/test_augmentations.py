"""Augmentations: known transformations, identity at probability zero, gradients that pass."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganops.objectives.adaptive_augment import adaptive_augment, change_colors, random_geometry, sample
from ganops.objectives.diffaugment import AUGMENTATIONS, PolicyName, augment


@pytest.fixture
def images() -> Tensor:
    torch.manual_seed(0)
    return torch.rand(64, 3, 16, 16) * 2 - 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_policy_changes_images_and_lets_gradients_through(name: PolicyName, channels: int, images: Tensor) -> None:
    given = images[:, :channels].clone().requires_grad_()
    out = augment(given, (name,))
    assert out.shape == given.shape
    assert not torch.equal(out, given)
    out.square().sum().backward()
    assert given.grad is not None
    assert (given.grad != 0).float().mean() > 0.5


def test_flip_turns_about_half_of_the_images(images: Tensor) -> None:
    out = augment(images, ("flip",))
    turned = [torch.equal(a, b.flip(2)) for a, b in zip(out, images, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(out, images, strict=True)]
    assert sum(turned) + sum(kept) == 64
    assert 16 < sum(turned) < 48  # four standard deviations of 64 fair coins


def test_translation_moves_by_an_eighth_at_most_and_brings_in_grey() -> None:
    torch.manual_seed(0)
    point = torch.zeros(200, 1, 16, 16)
    point[:, :, 8, 8] = 1
    moved = augment(point, ("translation",)).flatten(1).argmax(dim=1)
    rows, columns = moved // 16, moved % 16
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (6, 10, 6, 10)
    assert (augment(torch.ones(50, 1, 16, 16), ("translation",)) == 0).any()


def test_cutout_greys_a_square_of_half_the_size_at_most() -> None:
    torch.manual_seed(0)
    greyed = (augment(torch.ones(200, 1, 16, 16), ("cutout",)) == 0).sum(dim=(1, 2, 3))
    assert greyed.max() == 64
    assert greyed.min() >= 16  # a quarter of the square when it is centred in a corner


def test_colours_move_brightness_by_half_at_most(images: Tensor) -> None:
    moved = augment(images, ("color",)).mean(dim=(1, 2, 3)) - images.mean(dim=(1, 2, 3))
    assert moved.abs().max() <= 0.5 + 1e-6  # saturation and contrast leave the mean where it is
    assert moved.abs().max() > 0.4


def test_probability_zero_changes_nothing(images: Tensor) -> None:
    # Positions are computed in float32, and bilinear weights of 1e-6 mix in a little of a neighbour.
    torch.testing.assert_close(adaptive_augment(images, torch.tensor(0.0)), images, atol=1e-4, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_share_of_changed_images_grows_with_the_probability(channels: int, images: Tensor) -> None:
    def changed(probability: float) -> float:
        out = adaptive_augment(images[:, :channels], torch.tensor(probability))
        return ((out - images[:, :channels]).abs().amax(dim=(1, 2, 3)) > 1e-2).float().mean().item()

    assert 0 < changed(0.05) < 0.7
    assert changed(0.9) > 0.95


def matrix(rows: list[list[float]]) -> Tensor:
    return torch.tensor([*rows, [0.0, 0.0, 1.0]])[None]


def test_geometry_by_known_matrices(images: Tensor) -> None:
    one = images[:1]
    close = {"atol": 1e-4, "rtol": 0.0}
    quarter = matrix([[0, -1, 0], [1, 0, 0]])
    torch.testing.assert_close(sample(one, quarter), torch.rot90(one, 1, (2, 3)), **close)
    mirror = matrix([[-1, 0, 0], [0, 1, 0]])
    torch.testing.assert_close(sample(one, mirror), one.flip(3), **close)
    shift = matrix([[1, 0, 2 * 2 / 16], [0, 1, 0]])  # two pixels
    torch.testing.assert_close(sample(one, shift)[..., :14], one[..., 2:], **close)
    torch.testing.assert_close(sample(one, shift)[..., 14:], one[..., [14, 13]], **close)  # mirrored at the edge
    half = matrix([[1, 0, 1 / 16], [0, 1, 0]])
    torch.testing.assert_close(sample(one, half)[..., :15], (one[..., :15] + one[..., 1:]) / 2, **close)


def test_sampling_has_second_derivatives() -> None:
    image = torch.rand(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    turned = matrix([[math.cos(0.3), -math.sin(0.3), 0.1], [math.sin(0.3), math.cos(0.3), 0]]).double()
    assert torch.autograd.gradcheck(lambda x: sample(x.square(), turned), image)
    assert torch.autograd.gradgradcheck(lambda x: sample(x.square(), turned), image)


def test_grey_stays_grey_under_colour_changes() -> None:
    """Hue and saturation turn and stretch about the grey axis; the rest treats channels alike."""
    torch.manual_seed(0)
    grey = (torch.rand(32, 1, 4, 4) * 2 - 1).expand(-1, 3, -1, -1)
    out = change_colors(grey, torch.tensor(1.0))
    torch.testing.assert_close(out.amax(dim=1), out.amin(dim=1), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(out, grey)


def test_about_half_of_grey_images_are_inverted() -> None:
    """The luma flip has one of two values, so with probability 1 it turns half of the images over."""
    torch.manual_seed(0)
    ramp = torch.linspace(-1, 1, 16).view(1, 1, 4, 4).repeat(200, 1, 1, 1)
    out = change_colors(ramp, torch.tensor(1.0))
    inverted = (out[:, 0, 0, 0] > out[:, 0, 3, 3]).sum().item()
    assert 70 < inverted < 130  # four standard deviations of 200 fair coins


def test_both_shifts_of_an_image_take_effect_together() -> None:
    torch.manual_seed(0)
    shifts = random_geometry(torch.zeros(1).expand(400, 1, 1, 10**6), torch.tensor(0.5))[:, :2, 2]
    moved = shifts != 0
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert 0 < moved[:, 0].float().mean() < 1
