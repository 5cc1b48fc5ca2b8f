"""From a source of images to a prepared folder: both splits packed, and the manifest that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from ganops.data.digest import digest
from ganops.data.disk_array import disk_array
from ganops.data.image_format import ImageFormat
from ganops.data.manifest import Manifest, Rejected, manifest_path
from ganops.data.packed import SPLITS, PackedImages, Split, read_packed, write_packed
from ganops.data.raw_dataset import RawDataset
from ganops.data.rejection import count_reasons, printable
from ganops.data.sources import cifar10, digits, images, mixtures, mnist, stacked_mnist
from ganops.data.spec import DataSpec
from ganops.errors import DataError
from ganops.params import DataParams

LISTED_REJECTIONS = 1000  # the manifest names so many; it counts all
LEAST_IMAGES = 2  # of each split: one image has no spread to be learnt or measured
ROWS_AT_ONCE = 4096


def prepare(params: DataParams, out: Path, *, raw: Path = Path("data/raw"), processes: int | None = None) -> Manifest:
    """Pack the images that `params` ask for into the folder `out`: {train,test}/images.safetensors and manifest.json.

    raw: where downloads go. processes: how many decode image files, None for as many as there are cores.
    The manifest goes first and comes last, so that a folder with a manifest is whole, whenever the work was ended.
    Raises DataError when the source is missing, damaged, too small, or holds too much that is no image.
    """
    collected = _collect(params, out, raw, processes)
    spec = DataSpec(
        shape=collected.images.shape[1:],
        classes=collected.classes,
        mixture=collected.mixture,
        channel_classes=collected.channel_classes,
    )
    class_counts = _class_counts(collected)
    _check_enough(collected, class_counts)
    manifest_path(out).unlink(missing_ok=True)
    for split in SPLITS:
        write_packed(out, split, _packed(collected, split, out))
    manifest = Manifest(
        source=params.source,
        origin=collected.origin,
        digest=digest({split: read_packed(out, split) for split in SPLITS}),
        spec=spec,
        split_by=collected.split_by,
        counts={split: len(collected.rows[split]) for split in SPLITS},
        class_counts=class_counts,
        rejected_count=len(collected.rejections),
        rejected_reasons=count_reasons(collected.rejections),
        rejected=tuple(
            Rejected(name=printable(each.name), reason=each.words) for each in collected.rejections[:LISTED_REJECTIONS]
        ),
    )
    manifest.write(out)
    return manifest


def _collect(params: DataParams, out: Path, raw: Path, processes: int | None) -> RawDataset:
    form = ImageFormat(params.image_size, params.channels)
    match params.source:
        case "digits":
            return digits.collect(form, params.test_share)
        case "mnist" | "fashion-mnist":
            return mnist.collect(params.source, form, params.home, raw)
        case "stacked-mnist":
            return stacked_mnist.collect(form, params.home, raw)
        case "cifar10":
            return cifar10.collect(form, params.home, raw)
        case "ring2d" | "grid2d":
            return mixtures.collect(params.source)
        case "images":
            assert params.path is not None  # DataParams sees to it
            path = params.path.expanduser()
            return images.collect(path, form, params.test_share, params.max_rejected, out, processes)


def _class_counts(collected: RawDataset) -> dict[Split, dict[str, int]]:
    if collected.labels is None:
        return {}
    counts = {
        split: np.bincount(collected.labels[collected.rows[split]], minlength=len(collected.classes)).tolist()
        for split in SPLITS
    }
    return {split: dict(zip(collected.classes, counts[split], strict=True)) for split in SPLITS}


def _check_enough(collected: RawDataset, class_counts: Mapping[Split, Mapping[str, int]]) -> None:
    """Raise DataError unless each split has images, and each class has some in each split."""
    train, test = (len(collected.rows[split]) for split in SPLITS)
    if min(train, test) < LEAST_IMAGES:
        raise DataError(
            "there are too few images",
            expected=f"at least {LEAST_IMAGES} in each split",
            found=f"{train} for training, {test} for the test",
            action=_more_of(collected, "images"),
        )
    for name in collected.classes:
        train, test = (class_counts[split][name] for split in SPLITS)
        if train + test == 1:
            raise DataError(
                f"the class '{name}' has one image only",
                expected="at least one for training and one for the test",
                action=f"add images to '{name}', or remove it",
            )
        if not (train and test):
            raise DataError(
                f"the class '{name}' has no image in the {'test' if train else 'train'} split",
                found=f"{train} for training, {test} for the test",
                action=_more_of(collected, f"images of '{name}'"),
            )


def _more_of(collected: RawDataset, what: str) -> str:
    if collected.split_by == "content":
        return f"add {what}, or change data.test_share: each image's own content decides in which split it is"
    return f"add {what} to the split that lacks them"


def _packed(collected: RawDataset, split: Split, room: Path) -> PackedImages:
    """One split's rows, brought together on disk, so that memory never holds a data set that is larger."""
    rows = collected.rows[split]
    together = disk_array(room, (len(rows), *collected.images.shape[1:]), collected.images.dtype.type)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        together[start : start + ROWS_AT_ONCE] = collected.images[rows[start : start + ROWS_AT_ONCE]]
    labels = None if collected.labels is None else torch.from_numpy(collected.labels[rows])
    return PackedImages(torch.from_numpy(together), labels)
