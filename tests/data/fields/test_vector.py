"""Vectors are numbers in every form."""

from __future__ import annotations

import pytest
import torch

from ganops.data.fields.vector import VectorField
from ganops.errors import DataError

FIELD = VectorField(size=2)
POINTS = torch.tensor([[0.25, -0.1], [1 / 3, 3.0]])


def test_vectors_come_back_exactly() -> None:
    assert torch.equal(FIELD.to_storage(FIELD.to_model(POINTS)), POINTS)
    assert torch.equal(FIELD.decode(FIELD.encode(POINTS)), POINTS)
    FIELD.check(POINTS)


@pytest.mark.parametrize("value", [[1], [1, 2, 3], [1, "x"], [1, float("nan")], [1, float("inf")], 7, None, "12"])
def test_other_values_are_errors(value: object) -> None:
    with pytest.raises(DataError) as error:
        FIELD.decode([value])
    assert error.value.code == "bad-value"


def test_points_are_drawn_and_single_numbers_are_not() -> None:
    assert FIELD.draw(POINTS) is not None
    assert VectorField(size=1).draw(POINTS[:, :1]) is None
    assert VectorField(size=1).pictures(POINTS[:, :1]) == []


def test_vectors_have_no_mirror_image() -> None:
    assert FIELD.flip(POINTS, torch.tensor([True, True])) is POINTS


def test_no_vectors_are_vectors_of_that_size() -> None:
    assert FIELD.decode([]).shape == (0, FIELD.size)
