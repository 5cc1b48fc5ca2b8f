"""From images to features and logits, batch by batch, with progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor

from ganops.evaluation.backbones.backbone import Activations, Backbone
from ganops.progress import progress


def extract(
    batches: Iterable[Tensor], backbone: Backbone, total: int, label: str
) -> Iterator[tuple[Tensor, Activations]]:
    """Yield each uint8 batch (n, C, H, W) with its activations; `label` and `total` images are for the progress bar."""
    done = 0
    with progress(label, total, "images") as bar:
        for images in batches:
            yield images, backbone(images)
            done += len(images)
            bar.update(done)
