"""Small real image files of every kind, made where a test needs them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(size: int = 16) -> Image.Image:
    """Red and green above blue and white: upside down, mirrored or in wrong colours, it shows."""
    half = size // 2
    image = Image.new("RGB", (size, size), WHITE)
    image.paste(RED, (0, 0, half, half))
    image.paste(GREEN, (half, 0, size, half))
    image.paste(BLUE, (0, half, half, size))
    return image


def noise(seed: int, size: int = 16) -> Image.Image:
    """An image that no other seed gives."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8))


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file of this kind (PNG, JPEG ...)."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(seed: int, size: int = 16) -> bytes:
    """A PNG that no other seed gives."""
    return encode(noise(seed, size), "PNG")


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their relative names, and the folders they need."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """A zip file with these entries."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
