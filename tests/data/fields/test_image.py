"""Images: stored and modelled forms, other sizes and channels, the wire, and mirroring."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch
from image_files import encode, noise, quarters
from PIL import Image

from ganops.data.decode import decode
from ganops.data.fields.field import FIELDS, Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.image_format import ImageFormat
from ganops.errors import DataError

RGB, GREY = ImageField(channels=3, size=16), ImageField(channels=1, size=16)
GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8, generator=GENERATOR)


def wire(image: Image.Image, kind: str = "PNG") -> str:
    return base64.b64encode(encode(image, kind)).decode()


def test_every_level_survives_the_way_to_the_model_and_back() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    modelled = GREY.to_model(levels)
    assert modelled.dtype == torch.float32
    assert (modelled.min(), modelled.max()) == (-1, 1)
    assert torch.equal(GREY.to_storage(modelled), levels)


def test_modelled_values_beyond_the_range_are_clipped() -> None:
    assert GREY.to_storage(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_images_come_back_from_the_wire() -> None:
    assert torch.equal(RGB.decode(RGB.encode(IMAGES)), IMAGES)
    assert torch.equal(GREY.decode(GREY.encode(IMAGES[:, :1])), IMAGES[:, :1])
    assert RGB.decode([]).shape == (0, 3, 16, 16)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_files_on_the_wire_become_what_prepare_makes_of_them(kind: str) -> None:
    image = noise(3, 50).crop((0, 0, 40, 50))
    [decoded] = GREY.decode([wire(image, kind)])
    assert (decoded.numpy() == decode(encode(image, kind), ImageFormat(16, 1))).all()


@pytest.mark.parametrize("value", ["no base64!", base64.b64encode(b"text").decode(), "", None, 7])
def test_what_is_not_an_image_is_an_error(value: object) -> None:
    with pytest.raises(DataError) as error:
        RGB.decode([value])
    assert error.value.code == "bad-value"


def test_conversion_changes_size_and_channels() -> None:
    small = ImageField(channels=1, size=8)
    [converted] = RGB.convert(torch.from_numpy(np.array(quarters())).permute(2, 0, 1)[None], small)
    assert converted.shape == (1, 8, 8)
    assert converted[0, [1, 1, 6, 6], [1, 6, 1, 6]].tolist() == [76, 150, 29, 255]  # luma
    back = small.convert(converted[None], RGB)
    assert back.shape == (1, 3, 16, 16)
    assert torch.equal(back[:, 0], back[:, 2])
    assert RGB.convert(IMAGES, RGB) is IMAGES
    assert RGB.convert(IMAGES[:0], small).shape == (0, 1, 8, 8)


def test_a_conversion_does_not_depend_on_the_number_of_images() -> None:
    small = ImageField(channels=3, size=12)
    whole = RGB.convert(IMAGES.repeat(300, 1, 1, 1), small)
    assert torch.equal(whole[1024:1029], RGB.convert(IMAGES.roll(1, 0), small))


def test_images_and_vectors_are_not_converted_into_each_other() -> None:
    fields: tuple[Field, Field] = (RGB, VectorField(size=768))
    for field, like in (fields, fields[::-1]):
        with pytest.raises(DataError) as error:
            field.convert(torch.zeros(1, *field.shape, dtype=field.storage), like)
        assert error.value.code == "no-conversion"


def test_only_the_chosen_images_are_mirrored() -> None:
    modelled = RGB.to_model(IMAGES)
    flipped = RGB.flip(modelled, torch.tensor([True, False, False, True, False]))
    assert torch.equal(flipped[[0, 3]], modelled[[0, 3]].flip(3))
    assert torch.equal(flipped[[1, 2, 4]], modelled[[1, 2, 4]])


@pytest.mark.parametrize("images", [IMAGES.float(), IMAGES[0], IMAGES[:, :2], IMAGES[..., :8]])
def test_other_tensors_are_refused(images: torch.Tensor) -> None:
    with pytest.raises(DataError) as error:
        RGB.check(images)
    assert error.value.code == "column-mismatch"


def test_a_grid_and_single_pictures_are_drawn() -> None:
    picture = RGB.draw(IMAGES, 5)
    assert picture is not None
    assert picture.width > 5 * 16
    assert np.array(RGB.pictures(IMAGES)[2]).transpose(2, 0, 1).tolist() == IMAGES[2].tolist()


def test_all_kinds_of_fields_are_known() -> None:
    assert FIELDS.names() == ["category", "image", "label-map", "mask", "tokens", "vector"]
