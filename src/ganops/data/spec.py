"""What a network must know of the data: the shape of one sample and the names of the classes."""

from __future__ import annotations

from ganops.data.mixture import Mixture
from ganops.settings import Settings

LISTED_CLASSES = 12


class DataSpec(Settings):
    """Shape and classes of a data set.

    shape: (C, H, W) of one image; (D, 1, 1) where the data are vectors of D numbers.
    classes: class names in the order of their labels; empty where the data have none.
    mixture: what the data were drawn from, where that is known; its Gaussians are the classes.
    channel_classes: what a single channel shows, where each channel is a picture of its own; the classes are then the
        combinations of these, the last channel's changing fastest.
    """

    shape: tuple[int, int, int]
    classes: tuple[str, ...] = ()
    mixture: Mixture | None = None
    channel_classes: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """Number of image channels, 1 or 3; of vectors the length."""
        return self.shape[0]

    @property
    def image_size(self) -> int:
        """Height and width in pixels."""
        return self.shape[-1]

    @property
    def words(self) -> str:
        """What a sample is, in words for a person."""
        channels, height, width = self.shape
        if self.of_vectors:
            return f"vectors of {channels} numbers"
        return f"{'grey' if channels == 1 else 'RGB'} images of {height} x {width} pixels"

    @property
    def class_words(self) -> str:
        """The names of the classes for a person; of many the first."""
        more = ", ..." if len(self.classes) > LISTED_CLASSES else ""
        return (", ".join(self.classes[:LISTED_CLASSES]) or "none") + more

    @property
    def of_vectors(self) -> bool:
        """Whether a sample is a vector: it has one pixel, and its channels are numbers of any kind."""
        return self.shape[1:] == (1, 1)
