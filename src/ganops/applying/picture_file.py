"""Whole picture files in their own size: pixels to be translated, and what belongs to a picture besides them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal

from PIL import Image

from ganops.atomic import atomic_path
from ganops.data.decode import MAX_PIXELS, ORIENTATION_TAG, opaque, opened, orientation, upright
from ganops.data.rejection import Reason, RefusedError

MOST_PIXELS = 2 * MAX_PIXELS  # of a picture and of its translation: Pillow takes four bytes for each of RGB
MOST_BYTES = 2**30  # of a file

FileFormat = Literal["same", "png", "jpeg", "webp", "tiff"]
_KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
_SUFFIXES: Mapping[FileFormat, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tif"}
_MOST_SIDE = {"JPEG": 65_535, "WEBP": 16_383}  # pixels, by their file formats
_OPTIONS: Mapping[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "PNG": {},
    "TIFF": {},  # with compression, libtiff would refuse the EXIF
}
_OWN_MODE = {"RGBA": "RGB", "RGBX": "RGB", "P": "RGB", "LA": "L"}  # of colours that an ICC profile speaks of
_WIDTH_TAGS, _HEIGHT_TAGS = (0x0100, 0xA002), (0x0101, 0xA003)
_EXIF_IFD = 0x8769


@dataclass(frozen=True)
class PictureFile:
    """A picture, upright, and its metadata.

    pixels: of mode L or RGB over white; as they were where label maps are read. exif: for an upright picture.
    """

    pixels: Image.Image
    exif: Image.Exif | None = None
    icc_profile: bytes | None = None

    def save(self, translated: Image.Image, path: Path) -> None:
        """Write its translation, with its metadata, atomically; the suffix of `path` says as what kind of file."""
        kind = _KINDS[path.suffix.lower()]
        options = dict(_OPTIONS[kind])
        if self.exif is not None:
            options["exif"] = _resized(self.exif, translated)
        if self.icc_profile is not None and translated.mode == self.pixels.mode:
            options["icc_profile"] = self.icc_profile
        with atomic_path(path) as temporary:
            translated.save(temporary, kind, **options)


def read_picture_file(content: bytes, *, labels: bool) -> PictureFile:
    """Decode a whole file, at most MOST_PIXELS of them; labels: it is a label map. Raises RefusedError."""
    with opened(content, MOST_PIXELS) as image:
        profile, mode = image.info.get("icc_profile"), _OWN_MODE.get(image.mode, image.mode)
        picture = image if labels else opaque(image)
        image.load()  # after which some kinds are upright
        pixels = upright(picture, orientation(image))
        profile = profile if mode == pixels.mode else None
        return PictureFile(pixels.copy() if pixels is image else pixels, _exif(image), profile)


def read_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height of an opened file from its header, upright; raises RefusedError."""
    with opened(file, MOST_PIXELS) as image:
        return (image.height, image.width) if orientation(image) in range(5, 9) else image.size


def output_name(name: str, form: FileFormat, *, labels: bool) -> str:
    """What the translation of a file is called: as the file, with the suffix of what it is written as.

    Of kinds that are read but not written, and for label maps, that is PNG.
    """
    path = PurePosixPath(name)
    if labels:
        return str(path.with_suffix(".png"))
    if form != "same":
        return str(path.with_suffix(_SUFFIXES[form]))
    return name if path.suffix.lower() in _KINDS else str(path.with_suffix(".png"))


def check_size(name: str, width: int, height: int) -> None:
    """Raise RefusedError for a translation that is too large for its file format, or for memory."""
    most = _MOST_SIDE.get(_KINDS[PurePosixPath(name).suffix.lower()], MOST_PIXELS)
    if max(width, height) > most or width * height > MOST_PIXELS:
        at_most = f"{most:,} a side" if max(width, height) > most else f"{MOST_PIXELS:,} in all"
        raise RefusedError(Reason.TOO_LARGE, f"{width:,} x {height:,} pixels to write, at most {at_most}")


def _exif(image: Image.Image) -> Image.Exif | None:
    """The EXIF of a loaded image without the orientation, which the pixels have; Pillow leaves its thumbnail out."""
    try:
        exif = image.getexif()
        exif.pop(ORIENTATION_TAG, None)
        exif.tobytes()
    except Exception:
        return None  # damaged: nothing that could be kept
    return exif if len(exif) else None


def _resized(exif: Image.Exif, picture: Image.Image) -> bytes:
    for tags, pixels in ((_WIDTH_TAGS, picture.width), (_HEIGHT_TAGS, picture.height)):
        for place in (exif, exif.get_ifd(_EXIF_IFD)):
            for tag in tags:
                if tag in place:
                    place[tag] = pixels
    return exif.tobytes()
