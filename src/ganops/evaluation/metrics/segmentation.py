"""What a segmenter reads in photos that were made from label maps: the FCN score (arXiv:1611.07004, section 3.2).

The segmenter is trained on the real training pairs in the first evaluation, and kept. Pixel accuracy and mean
intersection over union are those of Long et al. 2014, arXiv:1411.4038, section 5.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.data.fields.image import first_image
from ganops.data.fields.label_map import LabelMapField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_mean
from ganops.evaluation.extractors.kept_segmenter import segmenter_of
from ganops.evaluation.extractors.segmenter import SegmenterSettings
from ganops.evaluation.metric import Metric, MetricGroup, Result, Table
from ganops.games.task import Task


class _Reading:
    """Reads outputs and real photos batch by batch, and counts which class was taken for which."""

    def __init__(self, context: EvalContext) -> None:
        columns = columns_read(context.task)
        assert columns is not None
        assert context.prepared is not None, "a group that reads outputs is not asked of mere files"
        device = torch.device("cpu") if context.extractor is None else context.extractor.device
        self.context, (self.labels, self.image) = context, columns
        self.field = context.spec.field(self.labels, LabelMapField)
        self.settings = context.settings_of("segmentation", SegmenterSettings)
        self.segmenter = segmenter_of(context.prepared, self.image, self.labels, self.settings, context.seed, device)
        count = self.field.channels
        self._made, self._real = torch.zeros(count, count), torch.zeros(count, count)
        self._right: list[Tensor] = []

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Read one batch."""
        assert inputs is not None
        assert truth is not None
        task = self.context.task
        wanted = task.inputs[self.labels].convert(inputs[self.labels], self.field)
        for confusion, images in ((self._made, outputs[self.image]), (self._real, truth[self.image])):
            stored = task.outputs[self.image].convert(images, self.context.spec.fields[self.image])
            seen = self.segmenter.labels(stored)
            confusion += confusions(wanted, seen, self.field.channels)
            if confusion is self._made:
                self._right.append((seen == wanted).float().mean(dim=(1, 2, 3)))

    def compute(self) -> Result:
        """Accuracy per photo, IoU over all of them, and both of real photos, which are what can be reached."""
        made, real = iou(self._made), iou(self._real)
        rows = [
            [name, *(None if value.isnan() else float(value) for value in (ours, theirs))]
            for name, ours, theirs in zip(self.field.labels.classes, made, real, strict=True)
        ]
        means = [float(each[~each.isnan()].mean()) for each in (made, real)]
        accuracy = [float(each.diagonal().sum() / each.sum()) for each in (self._made, self._real)]
        rows += [["mean IoU", *means], ["pixel accuracy", *accuracy]]
        return Result(
            {"pixel_accuracy": from_mean(torch.cat(self._right)), "miou": Estimate(means[0], None)},
            self.settings.model_dump(mode="json"),
            tables={"segmentation": Table("IoU of the reader", ("class", "outputs", "real photos"), rows)},
        )


def confusions(wanted: Tensor, seen: Tensor, count: int) -> Tensor:
    """(count, count) pixels by the class that they should be of and the class that was seen."""
    pairs = wanted.long().flatten() * count + seen.long().flatten()
    return torch.bincount(pairs, minlength=count**2).view(count, count).float()


def iou(confusion: Tensor) -> Tensor:
    """(K,) intersection over union of each class; NaN for one that is neither there nor seen."""
    both = confusion.diagonal()
    return both / (confusion.sum(dim=0) + confusion.sum(dim=1) - both)


def columns_read(task: Task) -> tuple[str, str] | None:
    """The label map that is given, and the image that is made; None where a task has none."""
    labels = next((name for name, field in task.inputs.items() if isinstance(field, LabelMapField)), None)
    image = first_image(task.outputs)
    return None if labels is None or image is None else (labels, image)


def _applies(task: Task, spec: DataSpec) -> bool:
    columns = columns_read(task)
    return task.paired and columns is not None and set(columns) <= set(spec.fields)


GROUP = MetricGroup(
    "segmentation",
    (
        Metric(
            "pixel_accuracy",
            "Pixel accuracy",
            "higher",
            "The share of pixels in which a reader sees their class.",
            True,
        ),
        Metric("miou", "mIoU", "higher", "Overlap of what a reader sees with what should be there, over their union."),
    ),
    _applies,
    _Reading,
    "a paired task that makes images of stored label maps",
    settings=SegmenterSettings,
    needs_features=False,
    validates=False,
)
