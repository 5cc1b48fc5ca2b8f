"""How close outputs are to their truth, for tasks whose data hold the true output of each input: PSNR and SSIM."""

from __future__ import annotations

from typing import Literal

import torch
from PIL import Image
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField, first_image
from ganops.data.fields.label_map import PictureField
from ganops.data.rows import Rows, concatenate
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_mean
from ganops.evaluation.metric import Metric, MetricGroup, Picture, Result
from ganops.evaluation.similarity import (
    KERNEL,
    MOST_DECIBELS,
    SIGMA,
    Edges,
    luma_of_video,
    psnr,
    ssim,
    without_border,
)
from ganops.games.task import Task
from ganops.settings import Settings

SHOWN, EXTREMES, PICTURES_IN_A_ROW = 15, 9, 12
COLOURS = {"rgb": "RGB, channels alike", "luma": "luma (BT.601, 16..235)"}
SOURCE, OUTPUT, TRUTH, DIFFERENCE = "source", "output", "truth", "difference"


class PairsSettings(Settings):
    """How outputs are compared with their truth; published numbers differ by decibels between protocols.

    colours: rgb, all channels alike; luma, brightness alone in the range of video, as most papers on super-resolution.
    border: pixels on each side that do not count; 4 in BasicSR for images enlarged four times.
    edges: of SSIM: mirrored, or left-out as in BasicSR.
    """

    colours: Literal["rgb", "luma"] = "rgb"
    border: int = Bounded(default=0, ge=0)
    edges: Edges = "mirrored"


class _Pairs:
    """Measures every pair as it comes, and keeps the first, the best and the worst to be looked at."""

    def __init__(self, context: EvalContext) -> None:
        self.context, self.settings = context, context.settings_of("pairs", PairsSettings)
        self.task = context.task
        self.column = first_image(context.task.outputs) or ""
        self.source = _source_column(context.task)
        self._check_size(context.task.outputs[self.column])
        self._psnr: list[Tensor] = []
        self._ssim: list[Tensor] = []
        self._first: Rows | None = None
        self._extremes: tuple[Rows, Tensor] | None = None

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Take in one batch."""
        assert truth is not None, "the task says that it is paired"
        answers, real = outputs[self.column], truth[self.column]
        compared = self._compared(answers), self._compared(real)
        found = psnr(*compared)
        self._psnr.append(found)
        self._ssim.append(ssim(*compared, self.settings.edges))
        source = {SOURCE: inputs[self.source]} if inputs is not None and self.source is not None else {}
        rows = Rows({**source, OUTPUT: answers, TRUTH: real})
        shown = 0 if self._first is None else len(self._first)
        if shown < SHOWN:
            first = rows.select(slice(0, SHOWN - shown))
            self._first = first if self._first is None else concatenate([self._first, first])
        if self._extremes is not None:
            rows, found = concatenate([self._extremes[0], rows]), torch.cat([self._extremes[1], found])
        order = found.argsort(stable=True)
        kept = order if len(order) <= 2 * EXTREMES else torch.cat([order[:EXTREMES], order[-EXTREMES:]])
        self._extremes = rows.select(kept), found[kept]

    def _compared(self, images: Tensor) -> Tensor:
        """What counts of stored images."""
        inside = without_border(images, self.settings.border)
        return luma_of_video(inside) if self.settings.colours == "luma" else inside

    def _check_size(self, output: Field) -> None:
        inside, fewest = output.shape[1] - 2 * self.settings.border, KERNEL if self.settings.edges == "left-out" else 6
        if inside < fewest:
            raise EvaluationError(
                "the border leaves too little of the images to compare",
                code="border-too-wide",
                expected=f"at least {fewest} pixels",
                found=f"{inside} of {output.shape[1]} pixels",
                action="set evaluate.metrics.pairs.border lower",
            )

    def compute(self) -> Result:
        """Means over all pairs, each with its standard error."""
        output = self.task.outputs[self.column]
        spec = self.context.model_spec
        used = {
            "colours": "grey" if output.shape[0] == 1 else COLOURS[self.settings.colours],
            "size": list(output.shape[1:]),
            "border": f"{self.settings.border} pixels left out; for SSIM {self.settings.edges}",
            "average": "mean over pairs of each pair's own value",
            "most_decibels": MOST_DECIBELS,
            "window": [KERNEL, SIGMA],
            "inputs": {name: spec.derived.get(name, field.kind) for name, field in self.task.inputs.items()},
        }
        values = {"psnr": from_mean(torch.cat(self._psnr)), "ssim": from_mean(torch.cat(self._ssim))}
        return Result(values, used, pictures=self._pictures(output))

    def _pictures(self, output: Field) -> dict[str, Picture]:
        assert self._first is not None
        assert self._extremes is not None
        rows, found = self._extremes
        half = min(EXTREMES, (len(rows) + 1) // 2)
        names = [name for name in (SOURCE, OUTPUT, TRUTH, DIFFERENCE) if name in (*rows, DIFFERENCE)]
        parts = f"{', '.join(names)} of the last two (black: none)"
        shown = {
            "pairs": (self._first, "Pairs", f"From left to right: {parts}; the first test rows, not picked by hand."),
            "pairs-worst": (
                rows.select(slice(0, half)),
                "Worst pairs",
                f"{parts.capitalize()} of the lowest PSNR, from {float(found[0]):.1f} dB.",
            ),
            "pairs-best": (
                rows.select(torch.arange(len(rows) - half, len(rows)).flip(0)),
                "Best pairs",
                f"{parts.capitalize()} of the highest PSNR, up to {float(found[-1]):.1f} dB.",
            ),
        }
        return {
            name: Picture(title, caption, image)
            for name, (some, title, caption) in shown.items()
            if (image := self._draw(some, output)) is not None
        }

    def _draw(self, rows: Rows, output: Field) -> Image.Image | None:
        source = self.task.inputs[self.source] if self.source is not None else output
        fields = {name: source if name == SOURCE else output for name in rows}
        grey = all(isinstance(field, ImageField) and field.channels == 1 for field in fields.values())
        drawn = ImageField(channels=1 if grey else 3, size=output.shape[1])
        columns = {name: field.convert(rows[name], drawn) for name, field in fields.items()}
        difference = (columns[OUTPUT].int() - columns[TRUTH].int()).abs().to(torch.uint8)
        together = torch.stack([*columns.values(), difference], dim=1)
        return drawn.draw(together.flatten(0, 1), PICTURES_IN_A_ROW // together.shape[1] * together.shape[1])


def _source_column(task: Task) -> str | None:
    """The input that the output is compared with at a glance: the first image or label map."""
    return next((name for name, field in task.inputs.items() if isinstance(field, PictureField)), None)


def _applies(task: Task, _spec: DataSpec) -> bool:
    return (task.paired or task.partner_column is not None) and first_image(task.outputs) is not None


GROUP = MetricGroup(
    "pairs",
    (
        Metric("psnr", "PSNR", "higher", "Peak signal-to-noise ratio of output against truth, in decibels.", True),
        Metric("ssim", "SSIM", "higher", "Structural similarity of output and truth: 1 is equal.", True),
    ),
    _applies,
    _Pairs,
    "a task that makes images and whose test data hold the true ones",
    settings=PairsSettings,
    needs_features=False,
)
