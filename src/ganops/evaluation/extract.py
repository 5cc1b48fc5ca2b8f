"""From images to features and logits, batch by batch, with progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
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


def features_of(samples: Tensor, extractor: FeatureExtractor, rows: Tensor, batch_size: int, label: str) -> Tensor:
    """(n, d) features of the given rows of stored samples, which may lie on disk."""
    batches: Iterator[Tensor] = (samples[some] for some in torch.split(rows, batch_size))
    features: Tensor | None = None
    done = 0
    for _, activations in extract(batches, extractor, len(rows), label):
        if features is None:
            features = torch.empty(len(rows), activations.features.shape[1])
        features[done : done + len(activations)] = activations.features
        done += len(activations)
    return torch.empty(0, 0) if features is None else features
