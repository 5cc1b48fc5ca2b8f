"""What a network must know of the data: the shape of one sample and the names of the classes."""

from __future__ import annotations

from ganops.settings import Settings


class DataSpec(Settings):
    """Shape and classes of a data set.

    shape: (C, H, W) of one image.
    classes: class names in the order of their labels; empty where the data have none.
    """

    shape: tuple[int, int, int]
    classes: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """Number of image channels, 1 or 3."""
        return self.shape[0]

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return self.shape[-1]
