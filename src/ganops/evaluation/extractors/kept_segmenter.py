"""A segmenter that is trained once: kept for the next evaluation of the same data with the same settings and code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ganops.code_digest import code_of
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.data.tensor_file import save_tensors
from ganops.evaluation.extractors.segmenter import Segmenter, SegmenterSettings, train_segmenter
from ganops.file_lock import locked
from ganops.progress import progress
from ganops.workspace import WORKSPACE


def segmenter_of(
    prepared: Path, image: str, labels: str, settings: SegmenterSettings, seed: int, device: torch.device
) -> Segmenter:
    """The segmenter of the columns `image` and `labels` of the training rows in `prepared`: read, or trained and kept.

    Of several processes that need the same one, the first trains it and the others wait.
    """
    manifest = read_manifest(prepared)
    needed = {
        "data": manifest.digest,
        "columns": [image, labels],
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
        "device": device.type,
        "torch": torch.__version__,
        "code": code_of([train_segmenter.__module__]),
    }
    name = hashlib.sha256(json.dumps(needed, sort_keys=True).encode()).hexdigest()[:32]
    path = WORKSPACE.segmenters / f"{name}.safetensors"
    classes = manifest.spec.field(labels, LabelMapField).channels
    with locked(path.with_suffix(".lock")):
        kept = Segmenter(manifest.spec.field(image, ImageField).channels, classes, settings.width)
        try:
            kept.load_state_dict(load_file(path))
            return kept.to(device).eval()
        except (OSError, SafetensorError, RuntimeError):  # not there, or damaged
            pass
        with progress("train reader", round(settings.kimg * 1000), "images") as bar:
            rows = read_packed(prepared, "train")
            made = train_segmenter(rows, image, labels, classes, settings, seed, device, bar.update)
        save_tensors(path, made.state_dict())
    return made
