"""Tokens: text as the indices of words or characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from pydantic import Field as Bounded
from pydantic import model_validator
from torch import Tensor

from ganops.data.fields.captions import INK, LINE_PIXELS, font
from ganops.data.fields.field import FIELDS, Field, WireForm, stack
from ganops.errors import DataError
from ganops.settings import nearest, shortened

PADDING = 0  # the index that fills a text up to its length
SHOWN = 16  # texts in a picture
MARGIN = 8  # pixels


@FIELDS.add("tokens")
class TokensField(Field):
    """Texts of at most `length` tokens, stored as (N, length) int64 indices into `vocabulary`.

    vocabulary: all tokens; the first is the padding, which is not part of any text.
    separator: what stands between two tokens of a text; a space for words, nothing for characters.
    """

    field_kind: ClassVar[str] = "tokens"
    wire_form: ClassVar[WireForm] = "text"
    length: int = Bounded(ge=1)
    vocabulary: tuple[str, ...] = Bounded(min_length=2)
    separator: str = " "

    @model_validator(mode="after")
    def _each_token_once(self) -> TokensField:
        if len(set(self.vocabulary)) != len(self.vocabulary):
            raise ValueError("vocabulary: each token once")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """(length,)."""
        return (self.length,)

    @property
    def storage(self) -> torch.dtype:
        """int64."""
        return torch.int64

    @property
    def description(self) -> str:
        """What the column holds."""
        return f"texts of at most {self.length} tokens out of {len(self.vocabulary) - 1}"

    def check(self, stored: Tensor) -> None:
        """Raise DataError unless all indices are those of tokens."""
        super().check(stored)
        if len(stored) and not (int(stored.min()) >= 0 and int(stored.max()) < len(self.vocabulary)):
            raise DataError(
                "a token is not in the vocabulary",
                code="bad-token",
                expected=f"0..{len(self.vocabulary) - 1}",
                found=f"{int(stored.min())}..{int(stored.max())}",
            )

    def to_model(self, stored: Tensor) -> Tensor:
        """Unchanged: networks embed the indices."""
        return stored

    def to_storage(self, modelled: Tensor) -> Tensor:
        """int64 indices; (N, length, tokens) logits become the index of the largest."""
        return modelled.argmax(dim=-1) if modelled.is_floating_point() else modelled.long()

    def convert(self, stored: Tensor, like: Field) -> Tensor:
        """Another length: padded or cut at the end."""
        if not isinstance(like, TokensField) or self.vocabulary != like.vocabulary:
            raise DataError(
                "the columns cannot be converted",
                code="no-conversion",
                expected=like.description,
                found=self.description,
            )
        return F.pad(stored, (0, like.length - self.length), value=PADDING)

    def encode(self, stored: Tensor) -> list[Any]:
        """The texts, without padding."""
        return [
            self.separator.join(self.vocabulary[index] for index in row if index != PADDING) for row in stored.tolist()
        ]

    def decode(self, wire: Sequence[Any]) -> Tensor:
        """Texts whose tokens are all in the vocabulary and not too many."""
        known = {token: index for index, token in enumerate(self.vocabulary) if index != PADDING}
        return stack([self._decode(value, known) for value in wire], self)

    def draw(self, stored: Tensor, columns: int | None = None) -> Image.Image | None:
        """The first texts, one per line."""
        del columns
        texts = self.encode(stored[:SHOWN])
        width = round(max(font().getlength(text) for text in texts)) + 2 * MARGIN
        picture = Image.new("RGB", (width, len(texts) * LINE_PIXELS + 2 * MARGIN), "white")
        for line, text in enumerate(texts):
            ImageDraw.Draw(picture).text((MARGIN, MARGIN + line * LINE_PIXELS), text, fill=INK, font=font())
        return picture

    def _decode(self, value: Any, known: dict[str, int]) -> Tensor:
        if not isinstance(value, str):
            raise DataError("a value is not a text", code="bad-value", expected="a text", found=type(value).__name__)
        tokens = [token for token in (value.split(self.separator) if self.separator else value) if token]
        if len(tokens) > self.length:
            raise DataError(
                "a text is too long", code="bad-value", expected=f"{self.length} tokens", found=f"{len(tokens)} tokens"
            )
        for token in tokens:
            if token not in known:
                raise DataError(
                    f"the token '{shortened(token)}' is not in the vocabulary",
                    code="unknown-token",
                    found=shortened(token),
                    action=nearest(shortened(token), known),
                )
        return torch.tensor([known[token] for token in tokens] + [PADDING] * (self.length - len(tokens)))
