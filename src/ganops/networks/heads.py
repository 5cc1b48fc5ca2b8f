"""Heads that games put on a discriminator's features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganops.errors import SettingsError

MakeLayer = Callable[[int, int], nn.Module]  # of two lengths


def pack_images(images: Tensor, pack: int) -> Tensor:
    """(N, C, ...) to (N / pack, pack C, ...): neighbours in the batch share a logit.

    Raises SettingsError where `pack` does not divide the batch.
    """
    if len(images) % pack:
        raise SettingsError(
            f"a batch of {len(images)} rows cannot be packed by {pack}",
            code="pack-size",
            expected=f"a multiple of {pack}",
            found=str(len(images)),
            action="set batch_size to a multiple of pack",
        )
    return images if pack == 1 else images.reshape(len(images) // pack, -1, *images.shape[2:])


def check_pack(pack: int, labels: str) -> None:
    """Raise ValueError for a discriminator that packs images and takes a label for each."""
    if pack > 1 and labels != "none":
        raise ValueError("pack: must be 1 unless labels is 'none', since the rows of a pack may have different labels")


def class_vectors(count: int, size: int) -> nn.Embedding:
    """A table of vectors of length about 1, so that a projection on one is as large as a feature.

    Torch's own start, of standard normal numbers, makes projections on many features outweigh everything else: logits
    of 57 where those of the linear layer are 0.9 (`dcgan-discriminator`, 4096 features).
    """
    table = nn.Embedding(count, size)
    nn.init.normal_(table.weight, 0.0, size**-0.5)
    return table


class LogitHead(nn.Module):
    """Features to a logit; with classes, plus the features' projection on the class's embedding.

    Miyato & Koyama 2018, arXiv:1802.05637, equation 3.
    """

    def __init__(
        self,
        features: int,
        class_count: int = 0,
        make_linear: MakeLayer = nn.Linear,
        make_embedding: MakeLayer = class_vectors,
    ) -> None:
        super().__init__()
        self.linear = make_linear(features, 1)
        self.embedding = make_embedding(class_count, features) if class_count else None

    def forward(self, features: Tensor, labels: Tensor | None) -> Tensor:
        """(N, F) features and (N,) labels or None to (N,) logits."""
        logits = cast(Tensor, self.linear(features)).squeeze(1)
        if self.embedding is not None and labels is not None:
            logits = logits + (self.embedding(labels) * features).sum(dim=1)
        return logits


class CodeHead(nn.Module):
    """InfoGAN's Q: features to estimates of the codes (Chen et al. 2016, arXiv:1606.03657, appendix C).

    Returns logits for each categorical code, then means and log standard deviations of the continuous codes.
    """

    def __init__(self, features: int, categorical: Sequence[int], continuous: int, width: int = 128) -> None:
        super().__init__()
        self.sizes = [*categorical, continuous, continuous]
        self.hidden = nn.Linear(features, width, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.codes = nn.Linear(width, sum(self.sizes))

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """(N, F) to (N, K) logits for each categorical code, (N, M) means, (N, M) log standard deviations."""
        hidden = F.leaky_relu(self.norm(self.hidden(features)), 0.1)
        return torch.split(cast(Tensor, self.codes(hidden)).float(), self.sizes, dim=1)
