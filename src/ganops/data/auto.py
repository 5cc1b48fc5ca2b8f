"""The rules behind `data.image_size: auto` and `data.channels: auto`: decided from the images alone."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low

from ganops.data.decode import Inspection
from ganops.data.image_format import ImageFormat

SIZES = (64, 48, 32, 28, 16)  # largest first; all shipped recipes take each of them
GREY_SHARE = 0.99
SAMPLE = 200  # images to inspect: more would hardly change a median or a share


def choose_format(inspections: Sequence[Inspection]) -> ImageFormat:
    """The format for images of which these are a sample.

    channels: 1 where at least 99 % show no colour, else 3. size: the largest of SIZES that the median of the images'
    shorter sides reaches, else the smallest. Without any image that could be read: the smallest size, in colour.
    """
    if not inspections:
        return ImageFormat(SIZES[-1], 3)
    side = median_low(min(each.width, each.height) for each in inspections)
    grey = sum(each.grey for each in inspections) >= GREY_SHARE * len(inspections)
    return ImageFormat(next((size for size in SIZES if size <= side), SIZES[-1]), 1 if grey else 3)


def sample(names: Sequence[str]) -> list[str]:
    """Evenly spaced names, at most SAMPLE; the same for the same names."""
    count = min(SAMPLE, len(names))
    return [names[index * len(names) // count] for index in range(count)]
