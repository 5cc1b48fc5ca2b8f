"""Only batch sizes at which a row comes out the same are used."""

from __future__ import annotations

import pytest
import torch

from ganops.data.rows import Rows
from ganops.serving.sizes import candidates, equal_sizes, independent_of_place, padded, smallest_fit


def rows(count: int) -> Rows:
    return Rows({"z": torch.randn(count, 3, generator=torch.Generator().manual_seed(0))})


def doubled(given: Rows) -> Rows:
    return Rows({"image": given["z"] * 2})


def with_rounding_of_small_batches(given: Rows) -> Rows:
    """As kernels that sum in another order where a batch is small: the last bit moves."""
    error = torch.finfo(torch.float32).eps if len(given) < 4 else 0.0
    return Rows({"image": given["z"] * 2 * (1 + error)})


def normalised_over_the_batch(given: Rows) -> Rows:
    return Rows({"image": given["z"] - given["z"][:5].mean(dim=0)})


def scaled_by_the_largest(given: Rows) -> Rows:
    """A dependence on all rows that does not see their order."""
    return Rows({"image": given["z"] / given["z"].abs().amax()})


@pytest.mark.parametrize(("largest", "sizes"), [(64, [1, 4, 16, 64]), (1, [1]), (10, [1, 2, 10]), (3, [1, 3])])
def test_sizes_grow_by_four(largest: int, sizes: list[int]) -> None:
    assert candidates(largest)[-1] == largest
    assert candidates(largest) == sizes


def test_a_size_with_other_bits_is_left_out() -> None:
    assert equal_sizes(doubled, rows(16), [1, 4, 16]) == (1, 4, 16)
    assert equal_sizes(with_rounding_of_small_batches, rows(16), [1, 4, 16]) == (4, 16)


@pytest.mark.parametrize("count", [2, 3, 4, 16, 64])
def test_rows_that_look_at_others_are_found(count: int) -> None:
    assert independent_of_place(doubled, rows(count))
    assert not independent_of_place(normalised_over_the_batch, rows(count))
    assert not independent_of_place(scaled_by_the_largest, rows(count))


def test_padding_fills_up_with_copies() -> None:
    full = padded(rows(3), 5)["z"]
    torch.testing.assert_close(full[:3], rows(3)["z"], rtol=0, atol=0)
    assert torch.equal(full[3:], rows(3)["z"][2:].expand(2, 3))
    assert [smallest_fit((1, 4, 16), count) for count in (1, 2, 4, 5, 40)] == [1, 4, 4, 16, 16]
