"""The pool of generated images: it fills, swaps half of the images, and is part of the game's state."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.games.image_pool import ImagePool


def numbered(start: int, count: int) -> Tensor:
    """Images of one pixel that hold their number."""
    return torch.arange(start, start + count, dtype=torch.float32).view(-1, 1, 1, 1)


def test_it_returns_what_it_is_given_until_it_is_full() -> None:
    pool = ImagePool(6, (1, 1, 1))
    assert torch.equal(pool(numbered(0, 4)), numbered(0, 4))
    returned = pool(numbered(4, 2))
    assert torch.equal(returned, numbered(4, 2))
    assert torch.equal(pool.images, numbered(0, 6))
    assert int(pool.filled) == 6


def test_then_half_of_the_images_are_swapped_for_former_ones() -> None:
    torch.manual_seed(0)
    pool, swapped, last = ImagePool(50, (1, 1, 1)), 0, 50
    pool(numbered(0, 50))
    for start in range(50, 4050, 4):
        held = set(pool.images.flatten().tolist())
        returned = pool(numbered(start, 4)).flatten().tolist()
        former = [number for number in returned if number < start]
        assert set(former) <= held
        swapped += len(former)
        last = start
    # 4000 draws with probability 1/2 have a standard deviation of 32; four of these.
    assert abs(swapped - 2000) < 128
    assert float(pool.images.max()) >= last - 40, "new images enter"


def test_an_image_that_is_returned_from_the_pool_is_replaced_by_the_new_one() -> None:
    torch.manual_seed(1)
    pool = ImagePool(3, (1, 1, 1))
    pool(numbered(0, 3))
    for number in range(3, 60):
        before = set(pool.images.flatten().tolist())
        (returned,) = pool(numbered(number, 1)).flatten().tolist()
        expected = before if returned == number else (before - {returned}) | {float(number)}
        assert set(pool.images.flatten().tolist()) == expected


def test_a_pool_of_nothing_changes_nothing() -> None:
    pool = ImagePool(0, (1, 1, 1))
    assert torch.equal(pool(numbered(0, 4)), numbered(0, 4))


def test_its_images_are_part_of_a_checkpoint() -> None:
    one, other = ImagePool(4, (1, 1, 1)), ImagePool(4, (1, 1, 1))
    one(numbered(0, 3))
    other.load_state_dict(one.state_dict())
    torch.manual_seed(2)
    expected = [one(numbered(start, 2)) for start in (3, 5, 7)]
    torch.manual_seed(2)
    assert all(torch.equal(other(numbered(start, 2)), each) for start, each in zip((3, 5, 7), expected, strict=True))
