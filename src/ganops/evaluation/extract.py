"""From images to features and logits, batch by batch, with progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor

from ganops.evaluation.extractors.extractor import Activations, FeatureExtractor
from ganops.progress import progress


def extract(
    batches: Iterable[Tensor], extractor: FeatureExtractor, total: int, label: str
) -> Iterator[tuple[Tensor, Activations]]:
    """Yield each uint8 batch (n, C, H, W) with its activations; `label` and `total` images are for the progress bar."""
    done = 0
    with progress(label, total, "images") as bar:
        for images in batches:
            yield images, extractor(images)
            done += len(images)
            bar.update(done)
