"""Consistency: whether an enlarged or coloured image, made small or grey again, is the image that it was made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ganops.data.derived.downscaled import Downscaled
from ganops.data.derived.grey import Grey
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import IMAGE, DataSpec
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
    field = ImageField.model_validate({"channels": images.shape[1], "size": size})
    small = Downscaled(factor=factor)
    return small.field(field).to_storage(small.derive(field.to_model(images)))


def greyed(images: Tensor) -> Tensor:
    """(N, 3, H, W) stored images as their luma, (N, 1, H, W), stored."""
    field = ImageField(channels=3, size=images.shape[2])
    return field.to_storage(Grey().derive(field.to_model(images)))


@dataclass(frozen=True)
class _Way:
    """How an input is made of an output again. words: for the protocol."""

    input: str
    output: str
    back: Callable[[Tensor], Tensor]
    words: str


def _way_back(task: Task, spec: DataSpec) -> _Way | None:
    """Smaller, for a task that enlarges; grey, for one whose input is derived so. None for all others."""
    found = enlarged(task)
    if found is not None:
        small, large, factor = found
        back = partial(downscaled, factor=factor)
        return _Way(small, large, back, f"bicubic with antialiasing, 1/{factor}")
    for name, section in spec.derived.items():
        if section.get("kind") == "grey" and name in task.inputs and section.get("of", IMAGE) in task.outputs:
            return _Way(name, str(section.get("of", IMAGE)), greyed, "luma (BT.601)")
    return None


class _Consistency:
    def __init__(self, context: EvalContext) -> None:
        self._way = _way_back(context.task, context.model_spec)
        self._values: list[Tensor] = []

    def update(self, inputs: Rows | None, outputs: Rows, _truth: Rows | None) -> None:
        """Take in one batch."""
        if self._way is not None:
            assert inputs is not None, "a task that enlarges or colours has inputs"
            self._values.append(psnr(self._way.back(outputs[self._way.output]), inputs[self._way.input]))

    def compute(self) -> Result:
        """The mean over images, with its standard error; nothing for colours of a grey input of another origin."""
        if self._way is None:
            return Result({})
        used = {"input again": self._way.words, "most_decibels": MOST_DECIBELS}
        return Result({"consistency": from_mean(torch.cat(self._values))}, used)


def _applies(task: Task, _spec: DataSpec) -> bool:
    return enlarged(task) is not None or _colours(task)


def _colours(task: Task) -> bool:
    """Whether a task makes colour images of grey ones, which may be those images without colour."""
    channels = [
        {field.channels for field in schema.values() if isinstance(field, ImageField)}
        for schema in (task.inputs, task.outputs)
    ]
    return task.paired and channels == [{1}, {3}]


GROUP = MetricGroup(
    "consistency",
    (
        Metric(
            "consistency",
            "Consistency",
            "higher",
            "Peak signal-to-noise ratio, in decibels, of an output made small or grey again against the input. What "
            "the input does not show is invented; below about 30 dB visible parts of the input were changed, too.",
            True,
        ),
    ),
    _applies,
    _Consistency,
    "a task that enlarges images, or colours grey ones",
    needs_features=False,
)
