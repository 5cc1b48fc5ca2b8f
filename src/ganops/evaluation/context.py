"""What scores are computed from: the generated images' features beside the real ones', and how both came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from ganops.evaluation.extractors.extractor import Activations, FeatureExtractor
from ganops.evaluation.protocol import Protocol
from ganops.evaluation.real import Reference
from ganops.evaluation.statistics import Statistics
from ganops.games.game import Game
from ganops.params import EvaluateParams

T = TypeVar("T")


@dataclass(frozen=True)
class EvalContext:
    """One evaluation.

    generated: features and logits of all generated images; statistics: mean and covariance of these features.
    nearest: (n,) distance of each generated image to the nearest training image.
    predicted: (n,) the class that the classifier sees in each generated image; None for data without classes.
    asked: (n,) the class that each image was asked for; None for a game without classes.
    images: (n, C, H, W) uint8, kept only where a score asks for them.
    game, prepared: whose images these are and where the real ones lie packed; None when scoring mere folders.
    """

    generated: Activations
    statistics: Statistics
    nearest: Tensor
    real: Reference
    protocol: Protocol
    params: EvaluateParams
    extractor: FeatureExtractor
    predicted: Tensor | None = None
    asked: Tensor | None = None
    images: Tensor | None = None
    game: Game | None = None
    prepared: Path | None = None
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def compared(self) -> Tensor:
        """(m, d): the generated features that are compared each with each with as many real ones."""
        return self.generated.features[: self.protocol.pairwise_count]

    @property
    def classes(self) -> Tensor | None:
        """(n,) the class each generated image counts for: the one asked for, else the one the classifier sees."""
        return self.predicted if self.asked is None else self.asked

    @property
    def device(self) -> torch.device:
        """Where networks run."""
        return self.extractor.device

    def once(self, compute: Callable[[EvalContext], T]) -> T:
        """compute(self), computed the first time only: what several scores share."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        return cast(T, self._known[compute])
