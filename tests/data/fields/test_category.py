"""Categories are names on the wire and indices elsewhere."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from ganops.data.fields.category import CategoryField
from ganops.errors import DataError

FIELD = CategoryField(classes=("cat", "dog", "hen"))
LABELS = torch.tensor([2, 0, 1])


def test_labels_come_back_as_names() -> None:
    assert FIELD.encode(LABELS) == ["hen", "cat", "dog"]
    assert torch.equal(FIELD.decode(["hen", "cat", "dog"]), LABELS)
    assert torch.equal(FIELD.to_storage(FIELD.to_model(LABELS)), LABELS)
    assert FIELD.flip(LABELS, torch.ones(3, dtype=torch.bool)) is LABELS


def test_logits_become_the_largest() -> None:
    assert FIELD.to_storage(torch.tensor([[0.1, 0.2, 0.9]])).tolist() == [2]


@pytest.mark.parametrize("value", ["cow", 1, None])
def test_unknown_names_are_errors(value: object) -> None:
    with pytest.raises(DataError) as error:
        FIELD.decode([value])
    assert (error.value.code, error.value.found) == ("unknown-class", str(value))


@pytest.mark.parametrize("labels", [torch.tensor([0, 3]), torch.tensor([-1, 0])])
def test_labels_beyond_the_classes_are_refused(labels: torch.Tensor) -> None:
    with pytest.raises(DataError) as error:
        FIELD.check(labels)
    assert error.value.code == "bad-label"


def test_shares_belong_to_all_classes_or_none() -> None:
    with pytest.raises(ValidationError):
        CategoryField(classes=("cat", "dog"), shares=(1.0,))


@pytest.mark.parametrize(("count", "description"), [(2, "0, 1"), (13, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...")])
def test_of_many_classes_the_first_are_named(count: int, description: str) -> None:
    assert CategoryField(classes=tuple(str(number) for number in range(count))).description == description
