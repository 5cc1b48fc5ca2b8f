"""Every common kind of image file becomes the pixels a person sees in it; anything else is refused with its reason."""

from __future__ import annotations

import struct
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from image_files import BLUE, GREEN, RED, WHITE, encode, png, quarters
from PIL import Image, features

from ganops.data import decode as decoding
from ganops.data.decode import Inspection, decode, inspect, read_picture
from ganops.data.image_format import ImageFormat, Pixels
from ganops.data.rejection import Reason, RefusedError

COLOUR, GREY = ImageFormat(16, 3), ImageFormat(16, 1)  # 16 x 16 pixels pass without being resized
LOSSY = 12  # 8-bit steps that JPEG, lossy WebP and colour space conversions may move a flat colour
LUMA = {RED: 76, GREEN: 150, BLUE: 29, WHITE: 255}  # 0.299 R + 0.587 G + 0.114 B


def centres(pixels: Pixels) -> list[tuple[int, ...]]:
    """The colours in the middle of the quarters: above left and right, below left and right."""
    return [tuple(int(value) for value in pixels[:, y, x]) for y in (4, 12) for x in (4, 12)]


def assert_quarters(pixels: Pixels, tolerance: int = 0) -> None:
    assert np.abs(np.array(centres(pixels)) - np.array([RED, GREEN, BLUE, WHITE])).max() <= tolerance


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM"])
def test_lossless_kinds_keep_every_colour(kind: str) -> None:
    pixels = decode(encode(quarters(), kind), COLOUR)
    assert pixels.shape == (3, 16, 16)
    assert pixels.dtype == np.uint8
    assert_quarters(pixels)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "MPO", "AVIF"])
def test_lossy_kinds_keep_colours_nearly(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow cannot write AVIF")
    assert_quarters(decode(encode(quarters(64), kind, quality=95), COLOUR), LOSSY)


def test_a_cmyk_jpeg_is_not_inverted() -> None:
    assert_quarters(decode(encode(quarters(64).convert("CMYK"), "JPEG", quality=95), COLOUR), LOSSY)


def test_only_the_first_frame_of_an_animation_counts() -> None:
    content = encode(quarters(), "GIF", save_all=True, append_images=[Image.new("RGB", (16, 16), "black")])
    assert_quarters(decode(content, COLOUR))


def test_a_palette_becomes_its_colours() -> None:
    assert_quarters(decode(encode(quarters().quantize(4), "PNG"), COLOUR))


def test_the_transparent_colour_of_a_palette_becomes_white() -> None:
    image = quarters().quantize(4)
    content = encode(image, "PNG", transparency=image.getpixel((1, 1)))
    assert centres(decode(content, COLOUR)) == [WHITE, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_laid_over_white(kind: str) -> None:
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    image.paste((0, 0, 0, 128), (0, 0, 8, 16))  # half transparent black on the left, nothing at all on the right
    left, right, *_ = centres(decode(encode(image, kind, lossless=True), COLOUR))
    assert left == pytest.approx((127, 127, 127), abs=1)  # rounding of 255 * (1 - 128 / 255)
    assert right == WHITE


def test_grey_with_transparency_is_laid_over_white() -> None:
    image = Image.new("LA", (16, 16), (100, 255))
    image.paste((100, 0), (8, 0, 16, 16))
    left, right, *_ = centres(decode(encode(image, "PNG"), GREY))
    assert (left, right) == ((100,), (255,))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(kind: str) -> None:
    values = np.zeros((16, 16), dtype=np.uint16)
    values[:8, :8], values[:8, 8:], values[8:, :8], values[8:, 8:] = 0, 12_850, 32_768, 65_535
    pixels = decode(encode(Image.fromarray(values), kind), GREY)
    assert centres(pixels) == [(0,), (50,), (128,), (255,)]  # value * 255 / 65535


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_a_tiff_whose_zero_is_white_is_not_a_negative(kind: str) -> None:
    values = np.zeros((16, 20), dtype=kind)
    values[8:] = np.iinfo(kind).max
    entry = struct.pack("<HHI", 262, 3, 1)  # PhotometricInterpretation
    content = encode(Image.fromarray(values), "TIFF").replace(entry + b"\1", entry + b"\0")
    assert decode(content, GREY)[0, ::15, 0].tolist() == [255, 0]
    assert np.asarray(read_picture(content))[::15, 0].tolist() == [255, 0]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_12_bits_in_a_file_of_16_take_the_white_that_is_given_and_are_refused_without(kind: str) -> None:
    values = np.zeros((16, 16), dtype=np.uint16)
    values[:8, 8:], values[8:, :8], values[8:, 8:] = 803, 2048, 4095
    content = encode(Image.fromarray(values), kind)
    assert centres(decode(content, ImageFormat(16, 1, white=4095))) == [(0,), (50,), (128,), (255,)]
    assert centres(decode(content, ImageFormat(16, 1, white=2048))) == [(0,), (100,), (255,), (255,)]
    assert centres(decode(content, ImageFormat(16, 1, white=65_535))) == [(0,), (3,), (8,), (16,)]
    assert "up to 4095" in refused(content).detail
    with pytest.raises(RefusedError):
        read_picture(content)


def test_12_bits_that_a_tiff_or_pgm_declares_are_scaled_whatever_white_is_given() -> None:
    pair = bytes([0xFF, 0xF8, 0x00])  # 4095, 2048
    tags = [(256, 16), (257, 1), (258, 12), (259, 1), (262, 1), (273, 122), (277, 1), (278, 1), (279, 24)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    tiff = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + pair * 8
    pgm = b"P5 16 1 4095\n" + struct.pack(">2H", 4095, 2048) * 8
    for content in (tiff, pgm):
        for white in (None, 4095, 65_535):
            assert decode(content, ImageFormat(1, 1, white=white))[0, 0, 0] in (255, 128)
        assert np.asarray(read_picture(content))[0, :2].tolist() == [255, 128]


def test_colour_of_12_bits_in_16_is_refused() -> None:
    content = raw_png(8, 8, depth=16, colour_type=2, rows=[struct.pack(">3H", 1000, 3000, 4000) * 8] * 8)
    assert "8 bits" in refused(content).detail
    with pytest.raises(RefusedError) as error:
        decode(content, ImageFormat(8, 3, white=4095))
    assert "data.options.white" in error.value.detail


def test_32_bit_pixels_are_used_where_their_range_is_known() -> None:
    def tiff(values: Any, kind: Any) -> bytes:
        return encode(Image.fromarray(np.full((16, 16), values, dtype=kind)), "TIFF")

    assert decode(tiff(32_768, np.int32), GREY)[0, 0, 0] == 128
    assert decode(tiff(0.2, np.float32), GREY)[0, 0, 0] == 51
    for values, kind in ((100_000, np.int32), (-1, np.int32), (2.0, np.float32), (np.nan, np.float32)):
        assert refused(tiff(values, kind)).reason is Reason.UNREADABLE


def test_the_transparent_value_of_16_bit_grey_becomes_white() -> None:
    values = struct.pack(">2H", 30_000, 20_000) * 4
    content = raw_png(8, 8, depth=16, colour_type=0, rows=[values] * 8, transparent=struct.pack(">H", 30_000))
    assert decode(content, ImageFormat(8, 1))[0, 0].tolist() == [255, 78] * 4


def test_16_bit_colour_keeps_its_leading_bits() -> None:
    content = raw_png(8, 8, depth=16, colour_type=2, rows=[struct.pack(">3H", 1000, 30_000, 60_000) * 8] * 8)
    assert decode(content, COLOUR)[:, 0, 0].tolist() == [3, 117, 234]


def test_black_and_white_of_1_bit_become_0_and_255() -> None:
    image = Image.new("1", (16, 16), 0)
    image.paste(1, (8, 0, 16, 16))
    assert centres(decode(encode(image, "PNG"), GREY)) == [(0,), (255,), (0,), (255,)]


def test_colour_becomes_luma_and_grey_becomes_three_equal_channels() -> None:
    assert [value for (value,) in centres(decode(encode(quarters(), "PNG"), GREY))] == list(LUMA.values())
    pixels = decode(encode(quarters().convert("L"), "PNG"), COLOUR)
    assert centres(pixels) == [(value,) * 3 for value in LUMA.values()]


# How a camera stores an upright picture under each EXIF orientation.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_exif_orientation_ends_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(quarters(64).transpose(STORED[orientation]), kind, exif=exif.tobytes())
    assert_quarters(decode(content, COLOUR), LOSSY)
    assert_quarters(np.asarray(read_picture(content).resize((16, 16))).transpose(2, 0, 1), LOSSY)


def test_damaged_exif_costs_only_the_rotation() -> None:
    content = encode(quarters(64), "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert_quarters(decode(content, COLOUR), LOSSY)


@pytest.mark.parametrize(("width", "height"), [(32, 16), (16, 32), (33, 16)])
def test_the_centre_square_is_kept(width: int, height: int) -> None:
    image = Image.new("RGB", (width, height), "black")
    image.paste(quarters(16), ((width - 16) // 2, (height - 16) // 2))
    assert_quarters(decode(encode(image, "PNG"), COLOUR))


@pytest.mark.parametrize("size", [1, 15, 16, 17, 500])
def test_any_size_becomes_the_asked_one(size: int) -> None:
    pixels = decode(encode(Image.new("RGB", (size, size), RED), "PNG"), COLOUR)
    assert (pixels == np.array(RED, dtype=np.uint8).reshape(3, 1, 1)).all()


def test_an_image_of_the_asked_size_keeps_every_pixel() -> None:
    rng = np.random.default_rng(0)
    original = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert (decode(encode(Image.fromarray(original), "PNG"), ImageFormat(8, 3)) == original.transpose(2, 0, 1)).all()


def test_a_picture_can_be_read_in_its_own_size() -> None:
    image = Image.new("RGBA", (30, 20), (255, 0, 0, 0))
    picture = read_picture(encode(image, "PNG"))
    assert (picture.mode, picture.size, picture.getpixel((0, 0))) == ("RGB", (30, 20), WHITE)
    assert read_picture(encode(Image.new("L", (30, 20)), "PNG")).mode == "L"
    with pytest.raises(RefusedError):
        read_picture(b"text")


@pytest.mark.parametrize(
    ("image", "kind", "grey"),
    [
        (Image.new("L", (30, 20), 7), "PNG", True),
        (Image.new("1", (30, 20)), "PNG", True),
        (Image.fromarray(np.zeros((20, 30), dtype=np.uint16)), "PNG", True),
        (Image.new("RGB", (30, 20), (90, 90, 90)), "PNG", True),
        (Image.linear_gradient("L").crop((0, 0, 30, 20)).convert("RGB"), "JPEG", True),
        (Image.new("RGB", (30, 20), (90, 90, 120)), "PNG", False),
        (Image.new("RGB", (30, 20), RED), "JPEG", False),
        (Image.new("RGB", (30, 20), RED).quantize(4), "PNG", False),
    ],
)
def test_an_inspection_says_size_and_whether_there_is_colour(image: Image.Image, kind: str, grey: bool) -> None:
    assert inspect(encode(image, kind)) == Inspection(30, 20, grey)


def test_reading_a_large_jpeg_at_reduced_size_changes_next_to_nothing() -> None:
    """A JPEG may be decoded at a fraction of its size, never below twice the asked one."""
    coarse = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    photo = Image.fromarray(coarse).resize((1600, 1200), Image.Resampling.BICUBIC)
    content = encode(photo, "JPEG", quality=95)
    square = photo.crop((200, 0, 1400, 1200)).resize((16, 16), Image.Resampling.LANCZOS)
    exact = np.asarray(square).transpose(2, 0, 1).astype(int)
    # Two steps of 255: JPEG's own loss and the reduced decoding together.
    assert np.abs(decode(content, COLOUR).astype(int) - exact).max() <= 2


TRUNCATED = {
    "PNG": png(1)[:-200],
    "PNG header": png(1)[:20],
    "JPEG": encode(quarters(64), "JPEG")[:-200],
    "GIF": encode(quarters(64), "GIF")[:-100],
    "BMP": encode(quarters(64), "BMP")[:-100],
    "WEBP": encode(quarters(64), "WEBP", lossless=True)[:-10],
    "TIFF": encode(quarters(64), "TIFF")[:-200],
    "TIFF header": encode(quarters(64), "TIFF")[:9],
    "PPM": encode(quarters(64), "PPM")[:-100],
}


@pytest.mark.parametrize("content", TRUNCATED.values(), ids=TRUNCATED)
def test_truncated_files_are_refused_as_such(content: bytes) -> None:
    assert refused(content).reason is Reason.DAMAGED


def test_damaged_compressed_data_are_refused() -> None:
    content = bytearray(png(1))
    content[200:220] = bytes(20)
    assert refused(bytes(content)).reason is Reason.DAMAGED


@pytest.mark.parametrize("content", [b"# Images of cats", b"<svg xmlns=''/>", b"%PDF-1.7", bytes(100)])
def test_other_files_are_not_images(content: bytes) -> None:
    assert refused(content).reason is Reason.NOT_AN_IMAGE


@pytest.mark.skipif("HEIF" in decoding.KINDS, reason="pillow-heif is installed")
def test_a_photo_of_an_iphone_is_refused_with_what_would_read_it() -> None:
    found = refused(b"\0\0\0\x18ftypheic\0\0\0\0heicmif1")
    assert (found.reason, "ganops[heif]" in found.detail) == (Reason.UNREADABLE, True)


def test_an_empty_file_is_refused_as_such() -> None:
    assert refused(b"").reason is Reason.EMPTY


@pytest.mark.parametrize("side", [9_460, 13_400, 60_000])
def test_decompression_bombs_are_refused_by_their_header(side: int) -> None:
    """Above Pillow's limit for a warning, above its limit for an error, and far beyond."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # and without a warning on the screen
        bomb = raw_png(side, side, depth=8, colour_type=2, rows=[])
        assert refused(bomb).reason is Reason.TOO_LARGE


def test_whatever_bytes_are_wrong_a_refusal_is_all_that_happens() -> None:
    rng = np.random.default_rng(0)
    kinds = [kind for kind in decoding.KINDS if kind != "AVIF" or features.check("avif")]
    originals = [encode(quarters(), kind) for kind in kinds]
    outcomes = set()
    for index in range(300):
        content = bytearray(originals[index % len(originals)])
        for place in rng.integers(0, len(content), 5):
            content[place] = rng.integers(0, 256)
        try:
            outcomes.add(decode(bytes(content), GREY).shape)
        except RefusedError as error:
            outcomes.add(error.reason)
    assert {(1, 16, 16), Reason.DAMAGED} <= outcomes


def refused(content: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        decode(content, COLOUR)
    return caught.value


def raw_png(
    side: int, height: int, *, depth: int, colour_type: int, rows: list[bytes], transparent: Any = b""
) -> bytes:
    """A PNG written by hand, for what Pillow does not write; RFC 2083."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, height, depth, colour_type, 0, 0, 0))
    alpha = chunk(b"tRNS", transparent) if transparent else b""
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + alpha + pixels + chunk(b"IEND", b"")
