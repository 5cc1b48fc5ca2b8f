"""Which truth an output is nearest to: a reader for data without classes, such as characters that were never seen.

As match accuracy of embeddings in retrieval, with pixels in the place of embeddings.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.data.fields.image import first_image
from ganops.data.rows import Rows
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_share
from ganops.evaluation.metric import PAIRED_IMAGES, Metric, MetricGroup, Result, makes_paired_images

CHUNK = 256  # outputs compared at a time


class _Matching:
    """Keeps outputs and truths, as many as are compared each with each."""

    def __init__(self, context: EvalContext) -> None:
        self._most = context.params.pairwise_samples
        self._column = first_image(context.task.outputs) or ""
        self._kept: list[tuple[Tensor, Tensor]] = []

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Keep the batch."""
        del inputs
        assert truth is not None, "the task says that it is paired"
        room = self._most - sum(len(each) for each, _ in self._kept)
        if room > 0:
            self._kept.append((outputs[self._column][:room], truth[self._column][:room]))

    def compute(self) -> Result:
        """The share of outputs to which no other truth is nearer than their own."""
        outputs, truth = (torch.cat(each) for each in zip(*self._kept, strict=True))
        return Result({"own_truth": from_share(nearest_is_own(outputs, truth))}, {"compared": len(outputs)})


def nearest_is_own(outputs: Tensor, truth: Tensor) -> Tensor:
    """(n,) bool for stored images (n, C, H, W): whether truth i is among the nearest to output i, by squared pixels.

    Exact: sums of squares of grey levels are whole numbers that float64 holds.
    """
    made, real = (images.flatten(1).double() for images in (outputs, truth))
    squares = real.square().sum(dim=1)
    found = []
    for start in range(0, len(made), CHUNK):
        distances = squares - 2 * made[start : start + CHUNK] @ real.T  # but for a number that all have in common
        own = distances[torch.arange(len(distances)), torch.arange(start, start + len(distances))]
        found.append(own <= distances.min(dim=1).values)
    return torch.cat(found)


GROUP = MetricGroup(
    "own-truth",
    (
        Metric(
            "own_truth",
            "Nearest to own truth",
            "higher",
            "The share of outputs that no other truth of the test set is nearer to than their own, pixel by pixel.",
        ),
    ),
    makes_paired_images,
    _Matching,
    PAIRED_IMAGES,
    needs_features=False,
)
