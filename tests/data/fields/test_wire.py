"""No value that a request can hold ends in anything but a DataError: what `mlflow models serve` answers with 400."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.fields.mask import MaskField
from ganops.data.fields.tokens import TokensField
from ganops.data.fields.vector import VectorField
from ganops.errors import DataError


def png(width: int, height: int) -> bytes:
    """The head of a picture of that size, and no more: a decompression bomb where it is believed."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4)).save(file, kind)
    return file.getvalue()


def wire(content: bytes) -> str:
    return base64.b64encode(content).decode()


HOSTILE: dict[str, Any] = {
    **{repr(value): value for value in (None, True, False, -1, 0, 7, 10**400, 0.5, float("nan"), float("inf"))},
    **{repr(value): value for value in ("", "x", "7", "\ud800", "ü", "\0", [], {}, [[]], [[[1]]], {"1": 2}, [None])},
    **{repr(value): value for value in (["a"], [True], ["1"], [10**400], [float("nan")], [1, [2]], [[1], [2, 3]])},
    "long text": "x" * 1_000_000,
    "half of base64": wire(picture("PNG"))[:50],
    "no base64": "not base64!",
    "cut picture": wire(picture("PNG")[:40]),
    "text file": wire(b"hello"),
    "svg": wire(b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"),
    "empty": wire(b""),
    "bomb": wire(png(100_000, 100_000)),
    "long bomb": wire(png(2**31 - 1, 1)),
    "zero": wire(png(0, 4)),
    "eps": wire(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n"),
}
FIELDS = (
    CategoryField(classes=("zero", "one")),
    ImageField(channels=1, size=8),
    MaskField(size=8),
    LabelMapField(size=8, labels=LabelTable(classes=("sky", "road"))),
    TokensField(vocabulary=("", "a", "b"), length=3),
    VectorField(size=1),
)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.kind)
def test_a_wrong_value_is_refused_in_few_words(field: Field, hostile: str) -> None:
    if field.kind == "tokens" and HOSTILE[hostile] == "":
        return  # a text of no tokens
    with pytest.raises(DataError) as raised:
        field.check(field.decode([HOSTILE[hostile]]))
    assert raised.value.code
    assert len(str(raised.value)) < 1000
