"""Texts become indices of a vocabulary and come back."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from ganops.data.fields.tokens import TokensField
from ganops.errors import DataError

WORDS = TokensField(length=4, vocabulary=("", "a", "big", "red", "square"))
LETTERS = TokensField(length=3, vocabulary=("", "a", "b", "c"), separator="")


def test_words_and_letters_come_back() -> None:
    stored = WORDS.decode(["a red square", "", "a big red square"])
    assert stored.tolist() == [[1, 3, 4, 0], [0, 0, 0, 0], [1, 2, 3, 4]]
    assert stored.dtype == torch.int64
    assert WORDS.encode(stored) == ["a red square", "", "a big red square"]
    assert LETTERS.encode(LETTERS.decode(["cab", "b"])) == ["cab", "b"]
    assert WORDS.decode([]).shape == (0, 4)
    WORDS.check(stored)


@pytest.mark.parametrize(
    ("value", "code"),
    [("a blue square", "unknown-token"), ("a a a a a", "bad-value"), (7, "bad-value"), (None, "bad-value")],
)
def test_other_texts_are_errors(value: object, code: str) -> None:
    with pytest.raises(DataError) as error:
        WORDS.decode([value])
    assert error.value.code == code


def test_logits_become_tokens() -> None:
    stored = WORDS.decode(["a red square"])
    assert torch.equal(WORDS.to_storage(torch.nn.functional.one_hot(stored, 5).float()), stored)
    assert torch.equal(WORDS.to_storage(WORDS.to_model(stored)), stored)


def test_another_length_pads_or_cuts() -> None:
    stored = WORDS.decode(["a red square"])
    assert WORDS.convert(stored, WORDS.model_copy(update={"length": 6})).tolist() == [[1, 3, 4, 0, 0, 0]]
    assert WORDS.convert(stored, WORDS.model_copy(update={"length": 2})).tolist() == [[1, 3]]
    with pytest.raises(DataError) as error:
        WORDS.convert(stored, LETTERS)
    assert error.value.code == "no-conversion"


def test_other_indices_are_refused() -> None:
    with pytest.raises(DataError) as error:
        WORDS.check(torch.full((1, 4), 5))
    assert (error.value.code, error.value.found) == ("bad-token", "5..5")
    with pytest.raises(ValidationError):
        TokensField(length=4, vocabulary=("", "a", "a"))


def test_texts_are_never_mirrored_and_can_be_drawn() -> None:
    stored = WORDS.decode(["a red square", ""])
    assert WORDS.flip(stored, torch.tensor([True, True])) is stored
    assert WORDS.draw(stored) is not None
    assert len(WORDS.pictures(stored)) == 2
