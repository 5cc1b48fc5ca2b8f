"""The packed form of a data set: one safetensors file of samples per split, read without a copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ganops.atomic import atomic_path
from ganops.errors import DataError

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")


@dataclass(frozen=True)
class PackedImages:
    """All images of one split, or all vectors.

    images: (N, C, H, W) uint8, C is 1 or 3; vectors are (N, D, 1, 1) float32, since 256 levels are too few for them.
    labels: (N,) int64 indices into the manifest's classes, or None where the data have no classes.
    """

    images: torch.Tensor
    labels: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if not (are_images(self.images) or are_vectors(self.images)):
            raise DataError(
                "packed images have the wrong form",
                expected="uint8, N C H W with 1 or 3 channels; or vectors: float32, N D 1 1",
                found=f"{self.images.dtype}, {tuple(self.images.shape)}",
            )
        if self.labels is not None and self.labels.shape != self.images.shape[:1]:
            raise DataError(
                "images and labels do not belong together",
                expected=f"{len(self.images)} labels",
                found=f"{tuple(self.labels.shape)}",
            )

    def __len__(self) -> int:
        return len(self.images)

    def some(self, count: int, seed: int) -> PackedImages:
        """`count` of the images, drawn by `seed`; raises DataError where there are fewer."""
        if count > len(self):
            raise DataError(
                "there are fewer training images than the recipe wants to show",
                expected=f"at least {count:,}",
                found=f"{len(self):,}",
                action="set images in the recipe lower, or to null for all",
            )
        rows = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))[:count]
        return PackedImages(self.images[rows], None if self.labels is None else self.labels[rows])


def are_images(samples: torch.Tensor) -> bool:
    """Whether these are packed images: (N, 1 or 3, H, W) uint8."""
    return samples.dtype == torch.uint8 and samples.ndim == 4 and samples.shape[1] in (1, 3)


def are_vectors(samples: torch.Tensor) -> bool:
    """Whether these are packed vectors: (N, D, 1, 1) float32."""
    return samples.dtype == torch.float32 and samples.ndim == 4 and samples.shape[2:] == (1, 1)


def split_path(folder: Path, split: Split) -> Path:
    """Where the packed file of `split` lies inside a prepared folder."""
    return folder / split / "images.safetensors"


def write_packed(folder: Path, split: Split, data: PackedImages) -> None:
    """Write one split atomically; raises DataError when it cannot be written, as on a full disk."""
    tensors = {"images": data.images.contiguous()}
    if data.labels is not None:
        tensors["labels"] = data.labels.contiguous()
    path = split_path(folder, split)
    try:
        with atomic_path(path) as temporary:
            save_file(tensors, temporary)
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"{path} cannot be written", found=str(error), action="look for room and rights there"
        ) from error


def read_packed(folder: Path, split: Split) -> PackedImages:
    """Read one split; the file is memory-mapped, so that only the rows that are used take memory.

    Raises DataError when the file is missing or torn.
    """
    path = split_path(folder, split)
    if not path.exists():
        raise DataError(f"{path} is missing", action="run the prepare stage: dvc repro prepare")
    try:
        tensors = load_file(path)
        return PackedImages(tensors["images"], tensors.get("labels"))
    except (SafetensorError, KeyError, OSError) as error:
        raise DataError(
            f"{path} cannot be read", found=str(error), action="make it anew: dvc repro --force prepare"
        ) from error
