"""What a specification of data says in words."""

from __future__ import annotations

import pytest

from ganops.data.spec import DataSpec


@pytest.mark.parametrize(
    ("count", "words"), [(0, "none"), (2, "0, 1"), (13, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...")]
)
def test_of_many_classes_the_first_are_named(count: int, words: str) -> None:
    classes = tuple(str(number) for number in range(count))
    assert DataSpec(shape=(1, 8, 8), classes=classes).class_words == words
