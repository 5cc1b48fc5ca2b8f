"""Perceptual path length: how far images move in feature space for a small step of the latent.

Karras et al. 2019, arXiv:1812.04948, section 4.1, in the features of the chosen extractor instead of LPIPS'.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from pydantic import Field
from torch import Tensor

from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.context import EvalContext, Subject
from ganops.evaluation.estimate import from_mean
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.latent_interpolation import slerp
from ganops.evaluation.metric import Metric, MetricGroup, Result, at_the_end, scored_field
from ganops.evaluation.precision import full_float32
from ganops.games.sampling import draw_inputs, draw_latents, rows_at_once
from ganops.games.task import Task
from ganops.settings import Settings

STEP = 1e-4  # of the way from one latent to another, as in the paper
TRIMMED = 0.01  # of the lengths on either side, as in the paper's code: single jumps would decide the mean


class PathLengthSettings(Settings):
    """pairs: of latents between which the length is measured."""

    pairs: int = Field(default=2000, ge=2, le=1_000_000)


@torch.inference_mode()
def path_lengths(
    subject: Subject, column: str, extractor: FeatureExtractor, pairs: int, seed: int, batch_size: int
) -> Tensor:
    """(n,) squared feature distance over squared step, at random places between `pairs` random pairs of latents.

    The 1 % shortest and longest are left out. Images are not rounded to uint8, which would hide so small a step.
    """
    device = next(subject.game.parameters()).device
    found = []
    with full_float32():
        for here, there in _ends(subject, pairs, seed, batch_size):
            outputs = (subject.game.generate(rows.to(device))[column].float() for rows in (here, there))
            one, other = (extractor.activations(images * 127.5 + 127.5).features for images in outputs)
            found.append((one - other).square().sum(dim=1) / STEP**2)
    lengths = torch.cat(found).sort().values
    cut = int(len(lengths) * TRIMMED)
    return lengths[cut : len(lengths) - cut]


def _ends(subject: Subject, pairs: int, seed: int, batch_size: int) -> Iterator[tuple[Rows, Rows]]:
    """Modelled inputs before and after the small step, batch by batch."""
    task = subject.game.task
    latents = draw_latents(task.latents, 2 * pairs, seed)
    assert latents is not None
    places = torch.rand(pairs, 1, generator=torch.Generator().manual_seed(seed)) * (1 - STEP)
    start, batch_size = 0, min(batch_size, rows_at_once(task))
    for drawn in draw_inputs(task, pairs, seed, held_out=subject.held_out, batch_size=batch_size):
        rows = slice(start, start + len(drawn.modelled))
        start = rows.stop
        a, b = ({name: ends[first:][rows] for name, ends in latents.items()} for first in (0, pairs))

        def at(t: Tensor, drawn: Rows = drawn.modelled, a: dict[str, Tensor] = a, b: dict[str, Tensor] = b) -> Rows:
            return drawn.merged({name: slerp(a[name], b[name], t) for name in a})

        yield at(places[rows]), at(places[rows] + STEP)


def _measure(context: EvalContext) -> Result:
    settings = context.settings_of("path-length", PathLengthSettings)
    if context.subject is None or context.column is None:
        return Result({})
    extractor, batch_size = context.features_from, context.params.batch_size
    lengths = path_lengths(context.subject, context.column, extractor, settings.pairs, context.seed, batch_size)
    return Result({"path_length": from_mean(lengths)})


def _applies(task: Task, spec: DataSpec) -> bool:
    column = scored_field(task, spec)
    if not task.latents or column is None:
        return False
    output = task.outputs[column]
    return isinstance(output, ImageField) and output.shape == spec.fields[column].shape


GROUP = MetricGroup(
    "path-length",
    (Metric("path_length", "Path length", "lower", "How abruptly images change along a path in latent space."),),
    _applies,
    at_the_end(_measure),
    "a model with latents that makes images of the data's own size",
    settings=PathLengthSettings,
    validates=False,
)
