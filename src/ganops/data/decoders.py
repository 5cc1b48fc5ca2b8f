"""What becomes of the content of one image file: one picture, or the two halves of a side-by-side picture.

Nothing here may import torch: the processes that decode images would spend seconds on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ganops.data.decode import decode, decode_halves
from ganops.data.image_format import Pixels
from ganops.data.label_format import AnyFormat


class Decoder(Protocol):
    """Makes the pictures of one row from one file; it can be sent to another process."""

    @property
    def formats(self) -> tuple[AnyFormat, ...]:
        """The format of each picture."""

    def __call__(self, content: bytes) -> tuple[Pixels, ...]:
        """The pictures, (C, H, W) uint8 each; raises RefusedError."""


@dataclass(frozen=True)
class Whole:
    """One picture per file."""

    form: AnyFormat

    @property
    def formats(self) -> tuple[AnyFormat, ...]:
        """The only one."""
        return (self.form,)

    def __call__(self, content: bytes) -> tuple[Pixels, ...]:
        """The picture."""
        return (decode(content, self.form),)


@dataclass(frozen=True)
class Halves:
    """Two pictures per file, left and right, as in the data sets of pix2pix."""

    left: AnyFormat
    right: AnyFormat

    @property
    def formats(self) -> tuple[AnyFormat, ...]:
        """Left, right."""
        return (self.left, self.right)

    def __call__(self, content: bytes) -> tuple[Pixels, ...]:
        """Both halves; raises RefusedError for a picture that is not wider than high."""
        return decode_halves(content, self.left, self.right)
