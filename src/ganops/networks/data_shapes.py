"""What networks read from the description of the data: fields, the number of classes, the sizes of their maps."""

from __future__ import annotations

from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, PictureField
from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError

LARGEST_START = 8  # pixels of the smallest maps that networks may start from


def target_field(spec: DataSpec) -> Field:
    """The field that a plain generator makes: the first of the data."""
    return spec.schema()[spec.target]


def image_field(spec: DataSpec, name: str = IMAGE) -> ImageField:
    """The image field called `name`; raises SettingsError where it is missing or holds something else."""
    return spec.field(name, ImageField)


def picture_field(spec: DataSpec, name: str) -> PictureField:
    """As `image_field`, for a source, which may also consist of label maps: one-hot, a channel for each class."""
    found = spec.schema().get(name)
    return found if isinstance(found, LabelMapField) else image_field(spec, name)


def check_equal_sizes(network: str, source: PictureField, target: PictureField) -> None:
    """Raise SettingsError where a network that keeps the size of its images gets two sizes."""
    if source.size != target.size:
        raise SettingsError(
            f"{network} takes source and target of one size",
            code="image-size",
            expected="equal sizes",
            found=f"{source.size} and {target.size} pixels",
            action="set image_size in the recipe, derive the source in the size of the target, or take another network",
        )


def class_count_of(spec: DataSpec) -> int:
    """The number of classes; raises SettingsError where the data have none."""
    if not spec.classes:
        raise SettingsError(
            "this network takes labels, but the data have no classes",
            code="no-classes",
            action="use a recipe that needs no labels, or data with class labels",
        )
    return len(spec.classes)


def resolutions(image_size: int) -> list[int]:
    """Sizes from the smallest feature map up to the image, each twice the one before: 28 gives 7, 14, 28.

    Raises SettingsError where halving does not end at 3..8 pixels: networks that double their maps cannot produce it.
    """
    sizes = _halvings(image_size)
    if sizes[0] > LARGEST_START:
        lower = next(size for size in range(image_size - 1, 0, -1) if _halvings(size)[0] <= LARGEST_START)
        upper = next(size for size in range(image_size + 1, 2 * image_size) if _halvings(size)[0] <= LARGEST_START)
        raise SettingsError(
            f"networks that double their maps cannot produce images of {image_size} pixels",
            code="unsupported-size",
            expected="a size that halving brings to 3, 4, 5 or 7 pixels",
            found=f"{image_size}, which halves to {sizes[0]}",
            action=f"set data.image_size in params.yaml or image_size in the recipe to {lower} or {upper}",
        )
    return sizes


def _halvings(image_size: int) -> list[int]:
    """The size and its halves, the smallest first, as far as they are whole and more than 2."""
    sizes = [image_size]
    while sizes[0] > 4 and sizes[0] % 2 == 0:
        sizes.insert(0, sizes[0] // 2)
    return sizes
