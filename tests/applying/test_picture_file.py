"""Whole picture files: what is read, and what of their metadata is written with the translation."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from image_files import encode, noise
from PIL import Image, ImageCms

from ganops.applying.picture_file import MOST_PIXELS, check_size, output_name, read_picture_file, read_size
from ganops.data.rejection import Reason, RefusedError

ORIENTATION, MAKER, WIDTH_OF_PHOTO, GPS, LATITUDE = 0x0112, 0x010F, 0xA002, 0x8825, 1


def photo(orientation: int = 6) -> bytes:
    """A JPEG of 30 x 20 pixels with the EXIF of a camera and a colour profile."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = orientation, "Maker"
    exif.get_ifd(0x8769)[WIDTH_OF_PHOTO] = 30
    exif.get_ifd(GPS)[LATITUDE] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encode(noise(0, 30).crop((0, 0, 30, 20)), "JPEG", exif=exif, icc_profile=profile)


def test_a_photo_is_read_upright_and_keeps_its_exif(tmp_path: Path) -> None:
    found = read_picture_file(photo(), labels=False)
    assert (found.pixels.size, found.pixels.mode) == ((20, 30), "RGB")
    assert read_size(io.BytesIO(photo())) == (20, 30)
    for name in ("made.jpg", "made.png", "made.webp", "made.tif"):
        found.save(found.pixels.resize((40, 60)), tmp_path / name)
        with Image.open(tmp_path / name) as written:
            exif = written.getexif()
            assert (written.size, exif.get(ORIENTATION, 1)) == ((40, 60), 1)
            assert exif[MAKER] == "Maker"
            assert exif.get_ifd(GPS)[LATITUDE] == "N"
            assert exif.get_ifd(0x8769)[WIDTH_OF_PHOTO] == 40
            assert written.info["icc_profile"] == found.icc_profile


def test_a_profile_of_other_colours_is_left_out(tmp_path: Path) -> None:
    grey = Image.new("L", (8, 8))
    found = read_picture_file(encode(grey, "PNG", icc_profile=b"grey"), labels=False)
    found.save(Image.new("RGB", (8, 8)), tmp_path / "colour.png")
    with Image.open(tmp_path / "colour.png") as written:
        assert "icc_profile" not in written.info


def test_damaged_metadata_do_not_hinder(tmp_path: Path) -> None:
    found = read_picture_file(encode(noise(1), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff"), labels=False)
    assert found.exif is None
    found.save(found.pixels, tmp_path / "made.jpg")


@pytest.mark.parametrize(
    ("name", "form", "labels", "expected"),
    [
        ("a/b.JPG", "same", False, "a/b.JPG"),
        ("b.heic", "same", False, "b.png"),
        ("b.tar.gif", "same", False, "b.tar.png"),
        ("b.jpg", "png", False, "b.png"),
        ("b.png", "jpeg", False, "b.jpg"),
        ("b.jpg", "same", True, "b.png"),
    ],
)
def test_names_say_what_is_written(name: str, form: str, labels: bool, expected: str) -> None:
    assert output_name(name, form, labels=labels) == expected


@pytest.mark.parametrize(
    ("name", "size"), [("a.jpg", (70_000, 10)), ("a.webp", (20_000, 10)), ("a.png", (20_000,) * 2)]
)
def test_translations_that_cannot_be_written_are_refused_before_the_work(name: str, size: tuple[int, int]) -> None:
    with pytest.raises(RefusedError) as caught:
        check_size(name, *size)
    assert caught.value.reason == Reason.TOO_LARGE
    check_size(name, 8_000, 8_000)
    assert MOST_PIXELS > 100_000_000


def test_label_maps_keep_their_indices() -> None:
    indexed = Image.new("P", (6, 4), 3)
    indexed.putpalette([0] * 768)
    assert read_picture_file(encode(indexed, "PNG"), labels=True).pixels.getpixel((0, 0)) == 3
    assert read_picture_file(encode(indexed, "PNG"), labels=False).pixels.mode == "RGB"
