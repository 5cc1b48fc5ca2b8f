"""Label maps hold a class for each pixel in every form: one-hot in networks, indexed PNG on the wire."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch
from image_files import encode
from PIL import Image

from ganops.data.decode import decode
from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.spec import DataSpec
from ganops.errors import DataError

LABELS = np.arange(256, dtype=np.uint8).reshape(16, 16) % 3


def test_label_maps_come_back_from_the_wire() -> None:
    field = LabelMapField.model_validate({"size": 16, "labels": {"sky": "blue", "road": "grey", "car": "red"}})
    stored = torch.from_numpy(np.stack([LABELS, (LABELS + 1) % 3]))[:, None]
    assert torch.equal(field.decode(field.encode(stored)), stored)
    assert torch.equal(field.to_storage(field.to_model(stored)), stored)
    coloured = encode(field.pictures(stored)[0].convert("RGB"), "PNG")
    assert torch.equal(field.decode([base64.b64encode(coloured).decode()])[0], stored[0])
    assert LabelMapField.model_validate_json(field.model_dump_json(exclude={"kind"})) == field
    assert field.convert(stored, field.model_copy(update={"size": 8})).shape == (2, 1, 8, 8)
    with pytest.raises(DataError) as error:
        field.check(stored + 1)
    assert (error.value.code, error.value.found) == ("bad-label", "3")
    with pytest.raises(DataError) as error:
        field.decode(["no"])
    assert error.value.code == "bad-value"
    assert field.draw(stored) is not None


def test_it_is_read_as_training_data_are_whatever_the_order_of_its_palette() -> None:
    field = LabelMapField.model_validate({"size": 16, "labels": {"sky": "blue", "road": [9, 9, 9]}})
    swapped = Image.fromarray(1 - LABELS % 2)
    swapped.putpalette([9, 9, 9, 0, 0, 255])
    grey = Image.fromarray(np.where(LABELS % 2, 9, 255).astype(np.uint8))  # a lighter grey is nearer to blue than to 9
    for picture in (swapped, grey):
        content = encode(picture, "PNG")
        assert (decode(content, field.labels.format(16)) == LABELS % 2).all()
        assert (field.decode([base64.b64encode(content).decode()]).numpy() == LABELS % 2).all()
        assert (field.of_picture(picture).numpy() == LABELS % 2).all()


def test_another_kind_or_another_table_is_no_conversion() -> None:
    field = LabelMapField(size=16, labels=LabelTable(classes=("a", "b")))
    stored = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    assert field.convert(stored, field) is stored
    others = (CategoryField(classes=("a", "b")), LabelMapField(size=16, labels=LabelTable(classes=("a", "c"))))
    for other in others:
        with pytest.raises(DataError) as error:
            field.convert(stored, other)
        assert error.value.code == "no-conversion"


def test_as_an_image_it_has_the_colours_of_its_classes() -> None:
    field = LabelMapField(size=2, labels=LabelTable(classes=("a", "b"), colours=((255, 0, 0), (0, 0, 255))))
    found = field.convert(torch.tensor([[[[0, 1], [1, 0]]]], dtype=torch.uint8), ImageField(channels=3, size=2))
    assert found[0, :, 0].T.tolist() == [[255, 0, 0], [0, 0, 255]]
    large = field.convert(torch.zeros(2, 1, 2, 2, dtype=torch.uint8), ImageField(channels=1, size=4))
    assert large.shape == (2, 1, 4, 4)


@pytest.mark.parametrize("labels", [["sky", "road"], {"sky": "blue", "road": [9, 9, 9]}])
def test_it_comes_back_from_a_manifest(labels: object) -> None:
    spec = DataSpec(fields={"image": LabelMapField.model_validate({"size": 8, "labels": labels})})
    assert DataSpec.model_validate_json(spec.model_dump_json()) == spec


def test_halving_keeps_the_classes_of_pixels() -> None:
    field = LabelMapField(size=4, labels=LabelTable(classes=("a", "b", "c")))
    stored = torch.tensor([0, 0, 2, 2]).repeat(4, 1)[None, None].to(torch.uint8)
    assert field.convert(stored, field.model_copy(update={"size": 2}))[0, 0].tolist() == [[0, 2], [0, 2]]


def test_mirrored_and_coloured_without_a_table() -> None:
    field = LabelMapField(size=2, labels=LabelTable(classes=("a", "b", "c")))
    stored = torch.tensor([[0, 1], [2, 2]], dtype=torch.uint8)[None, None]
    flipped = field.to_storage(field.flip(field.to_model(stored), torch.tensor([True])))
    assert flipped[0, 0].tolist() == [[1, 0], [2, 2]]
    assert len(set(field.labels.palette())) == 3
