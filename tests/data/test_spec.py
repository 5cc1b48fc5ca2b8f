"""A data spec names its fields, finds them by name and kind, and adds the derived ones."""

from __future__ import annotations

import pytest

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError

IMAGE, LABEL = ImageField(channels=3, size=8), CategoryField(classes=("cat", "dog"))
SPEC = DataSpec(fields={"image": IMAGE, "label": LABEL}, derived={"small": {"kind": "downscaled", "factor": 2}})


def test_fields_are_found_by_name_and_kind() -> None:
    assert SPEC.target == "image"
    assert SPEC.field("image", ImageField) is IMAGE
    assert SPEC.field("small", ImageField) == ImageField(channels=3, size=4)
    assert SPEC.first(CategoryField) is LABEL
    assert SPEC.first(VectorField) is None
    assert SPEC.classes == ("cat", "dog")
    assert DataSpec(fields={"image": IMAGE}).classes == ()


@pytest.mark.parametrize(("name", "kind"), [("image", VectorField), ("picture", ImageField)])
def test_a_missing_field_is_an_error_that_names_those_there_are(name: str, kind: type[Field]) -> None:
    with pytest.raises(SettingsError) as error:
        SPEC.field(name, kind)
    assert error.value.code == "missing-field"
    assert error.value.found == "image: image, label: category, small: image"


def test_it_comes_back_from_json() -> None:
    assert DataSpec.model_validate_json(SPEC.model_dump_json()) == SPEC


def test_fields_can_be_replaced() -> None:
    assert SPEC.with_fields({"image": ImageField(channels=1, size=8)}).field("image", ImageField).channels == 1
    assert SPEC.field("image", ImageField).channels == 3


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ({"kind": "blurred"}, "unknown-kind"),
        ({"kind": "downscaled", "factor": 3}, "bad-derivation"),
        ({"kind": "grey", "of": "label"}, "bad-derivation"),
        ({"kind": "grey", "of": "picture"}, "bad-derivation"),
    ],
)
def test_derivations_that_cannot_be_are_errors(section: dict[str, object], code: str) -> None:
    with pytest.raises(SettingsError) as error:
        DataSpec(fields={"image": IMAGE, "label": LABEL}, derived={"new": section}).schema()
    assert error.value.code == code


def test_a_derived_column_cannot_take_the_name_of_a_stored_one() -> None:
    with pytest.raises(SettingsError) as error:
        DataSpec(fields={"image": IMAGE}, derived={"image": {"kind": "grey"}}).schema()
    assert error.value.code == "bad-derivation"
