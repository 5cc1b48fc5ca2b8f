"""How many channels a network has at each size of its maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, PositiveInt

from ganops.errors import SettingsError
from ganops.settings import Settings


class Widths(Settings):
    """Channels of each stage: by a rule, or as a list.

    width: channels next to the image. growth: factor at each halving of the maps. max_width: the most that growth
        leads to.
    widths: channels of each stage instead of that rule, the smallest maps first: the same list serves a generator and
        its discriminator.
    """

    width: int = Field(default=256, ge=1)
    growth: Literal[1, 2] = 1
    max_width: int = Field(default=1024, ge=1)
    widths: tuple[PositiveInt, ...] | None = Field(default=None, min_length=1)

    def of(self, sizes: Sequence[int]) -> list[int]:
        """Channels for maps of these sizes, which rise. Raises SettingsError where `widths` has another length."""
        if self.widths is None:
            most = max(self.max_width, self.width)
            return [min(self.width * int(self.growth**halvings), most) for halvings in reversed(range(len(sizes)))]
        if len(self.widths) != len(sizes):
            raise SettingsError(
                "widths has another length than the network has stages",
                code="widths-count",
                expected=f"{len(sizes)} numbers, for maps of {', '.join(map(str, sizes))} pixels",
                found=", ".join(map(str, self.widths)),
            )
        return list(self.widths)
