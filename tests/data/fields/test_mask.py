"""Masks have two values in every form."""

from __future__ import annotations

import base64

import pytest
import torch
from image_files import encode
from PIL import Image

from ganops.data.fields.image import ImageField
from ganops.data.fields.mask import MaskField
from ganops.errors import DataError

FIELD = MaskField(size=8)
MASKS = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
MASKS[0, 0, :4], MASKS[1, 0, :, :2] = 255, 255


def test_masks_come_back_from_model_and_wire() -> None:
    modelled = FIELD.to_model(MASKS)
    assert modelled.unique().tolist() == [0, 1]
    assert torch.equal(FIELD.to_storage(modelled), MASKS)
    assert torch.equal(FIELD.decode(FIELD.encode(MASKS)), MASKS)
    FIELD.check(MASKS)


def test_grey_on_the_wire_is_cut_at_the_middle() -> None:
    value = base64.b64encode(encode(Image.linear_gradient("L").resize((8, 8)), "PNG")).decode()
    decoded = FIELD.decode([value])
    assert decoded[0, 0, :, 0].tolist() == [0] * 4 + [255] * 4


def test_another_size_keeps_the_shape() -> None:
    small = FIELD.convert(MASKS, MaskField(size=4))
    assert small[0, 0, :, 0].tolist() == [255, 255, 0, 0]
    assert small[1, 0, 0].tolist() == [255, 0, 0, 0]
    assert FIELD.convert(MASKS, FIELD) is MASKS
    with pytest.raises(DataError) as error:
        FIELD.convert(MASKS, ImageField(channels=3, size=8))
    assert error.value.code == "no-conversion"


def test_other_values_are_refused() -> None:
    with pytest.raises(DataError) as error:
        FIELD.check(torch.full((1, 1, 8, 8), 7, dtype=torch.uint8))
    assert (error.value.code, error.value.found) == ("bad-mask", "7")


def test_masks_are_mirrored_and_drawn() -> None:
    flipped = FIELD.flip(FIELD.to_model(MASKS), torch.tensor([True, True, False]))
    assert flipped[1, 0, 0].tolist() == [0] * 6 + [1, 1]
    assert FIELD.draw(MASKS) is not None
    assert [picture.size for picture in FIELD.pictures(MASKS)] == [(8, 8)] * 3
