"""Random distortions: what they keep, and that every image is distorted in its own way."""

from __future__ import annotations

import torch

from ganops.objectives.distortion import distorted


def strokes() -> torch.Tensor:
    """Eight equal images of a white bar on black."""
    images = torch.full((8, 1, 24, 24), -1.0)
    images[:, :, 4:20, 11:14] = 1
    return images


def test_equal_images_become_different_ones_of_the_same_form() -> None:
    torch.manual_seed(0)
    made = distorted(strokes(), 0.2)
    assert made.shape == (8, 1, 24, 24)
    apart = torch.cdist(made.flatten(1), made.flatten(1)) + 100 * torch.eye(8)
    assert apart.min() > 1
    torch.manual_seed(0)
    assert torch.equal(distorted(strokes(), 0.2), made)


def test_without_strength_images_are_blurred_where_they_are() -> None:
    torch.manual_seed(0)
    images, made = strokes(), distorted(strokes(), 0)
    sharpness = [(each[..., 1:] - each[..., :-1]).abs().amax(dim=(1, 2, 3)) for each in (images, made)]
    assert (sharpness[1] < sharpness[0]).all()
    torch.testing.assert_close(made.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)), atol=0.02, rtol=0)
    assert (made[:, :, 12, 12] > made[:, :, 12, 4]).all()


def test_what_has_one_colour_keeps_it() -> None:
    torch.testing.assert_close(distorted(torch.full((3, 3, 9, 9), 0.25), 0.5), torch.full((3, 3, 9, 9), 0.25))
