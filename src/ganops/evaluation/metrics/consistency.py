"""Consistency: whether an enlarged image, made small again, is the image that it was made of."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.data.derived.downscaled import Downscaled
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_mean
from ganops.evaluation.metric import Metric, MetricGroup, Result
from ganops.evaluation.similarity import MOST_DECIBELS, psnr
from ganops.games.task import Task


def enlarged(task: Task) -> tuple[str, str, int] | None:
    """The small input, the large output and the factor between them; None where a task enlarges nothing."""
    for small, its in task.inputs.items():
        for large, field in task.outputs.items():
            if isinstance(its, ImageField) and isinstance(field, ImageField) and its.channels == field.channels:
                factor, rest = divmod(field.size, its.size)
                if factor > 1 and not rest:
                    return small, large, factor
    return None


def downscaled(images: Tensor, factor: int) -> Tensor:
    """(N, C, H, W) stored images at 1 / factor of their size, bicubic with antialiasing, stored."""
    size = images.shape[2]
    field = ImageField(channels=images.shape[1], size=size)  # type: ignore[arg-type]  # 1 or 3, as images have
    small = Downscaled(factor=factor)
    return small.field(field).to_storage(small.derive(field.to_model(images)))


class _Consistency:
    def __init__(self, context: EvalContext) -> None:
        found = enlarged(context.task)
        assert found is not None, "the group applies to tasks that enlarge"
        self.small, self.large, self.factor = found
        self._values: list[Tensor] = []

    def update(self, inputs: Rows | None, outputs: Rows, _truth: Rows | None) -> None:
        """Take in one batch."""
        assert inputs is not None, "a task that enlarges has inputs"
        self._values.append(psnr(downscaled(outputs[self.large], self.factor), inputs[self.small]))

    def compute(self) -> Result:
        """The mean over images, with its standard error."""
        used = {"downscaling": f"bicubic with antialiasing, 1/{self.factor}", "most_decibels": MOST_DECIBELS}
        return Result({"consistency": from_mean(torch.cat(self._values))}, used)


def _applies(task: Task, _spec: DataSpec) -> bool:
    return enlarged(task) is not None


GROUP = MetricGroup(
    "consistency",
    (
        Metric(
            "consistency",
            "Consistency",
            "higher",
            "Peak signal-to-noise ratio, in decibels, of an output made small again against the input. Detail that the "
            "input does not show is invented; below about 30 dB visible parts of the input were changed, too.",
            True,
        ),
    ),
    _applies,
    _Consistency,
    "a task that enlarges images",
    needs_features=False,
)
