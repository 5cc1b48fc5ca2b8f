"""What derivations of images have in common."""

from __future__ import annotations

from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.errors import SettingsError


def image_source(source: Field, kind: str) -> ImageField:
    """The source as an image field; raises SettingsError for any other field."""
    if not isinstance(source, ImageField):
        raise SettingsError(
            f"'{kind}' can be derived from images only",
            code="bad-derivation",
            expected="a column of images",
            found=source.description,
        )
    return source
