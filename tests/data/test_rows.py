"""Rows are named columns of equal length."""

from __future__ import annotations

import pytest
import torch

from ganops.data.rows import Rows, concatenate
from ganops.errors import DataError

ROWS = Rows({"image": torch.arange(12).view(6, 2), "label": torch.arange(6)})


def test_columns_have_one_length_and_an_order() -> None:
    assert (len(ROWS), list(ROWS)) == (6, ["image", "label"])
    assert ROWS.nbytes == 18 * 8
    assert bool(ROWS)
    assert not ROWS.select(slice(0, 0))


@pytest.mark.parametrize("columns", [{}, {"a": torch.zeros(2), "b": torch.zeros(3)}])
def test_other_columns_are_refused(columns: dict[str, torch.Tensor]) -> None:
    with pytest.raises(DataError) as error:
        Rows(columns)
    assert error.value.code == "rows-unequal"


def test_rows_are_selected_split_and_put_together() -> None:
    assert ROWS.select(torch.tensor([4, 0]))["label"].tolist() == [4, 0]
    assert ROWS.select(slice(1, 3))["image"].tolist() == [[2, 3], [4, 5]]
    pieces = list(ROWS.split(4))
    assert [len(piece) for piece in pieces] == [4, 2]
    assert torch.equal(concatenate(pieces)["image"], ROWS["image"])


def test_columns_are_chosen_changed_and_added() -> None:
    assert list(ROWS.only(["label"])) == ["label"]
    with pytest.raises(KeyError):
        ROWS.only(["caption"])
    assert ROWS.map(lambda column: column + 1)["label"].tolist() == [1, 2, 3, 4, 5, 6]
    merged = ROWS.merged({"label": torch.zeros(6), "new": torch.ones(6)})
    assert list(merged) == ["image", "label", "new"]
    assert merged["label"].sum() == 0
    assert ROWS.to("cpu")["label"].device.type == "cpu"
