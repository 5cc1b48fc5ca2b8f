"""Classification accuracy score: how good a classifier becomes that learns from generated images alone.

Ravuri and Vinyals 2019, arXiv:1905.10887. The images' classes are those that were requested, or, where the model takes
no labels, those that the reference's classifier sees.
"""

from __future__ import annotations

from math import hypot
from tempfile import TemporaryFile

import numpy as np
import torch
from torch import Tensor

from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.data.spec import LABEL
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, share_error
from ganops.evaluation.extractors.classifier import train_classifier
from ganops.evaluation.metric import CLASSES, Metric, MetricGroup, Result, has_classes
from ganops.progress import progress

FEWEST_TEST = 20


class _Training:
    """Keeps all samples on disk, in the form of the data: a classifier is trained on them."""

    def __init__(self, context: EvalContext) -> None:
        self.context = context
        self._file = TemporaryFile()  # noqa: SIM115, closed with the accumulator
        self._empty = torch.empty(0)

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Keep the batch."""
        del inputs, truth
        assert self.context.column is not None
        samples = self.context.fitted(outputs[self.context.column]).cpu().contiguous()
        self._file.write(samples.numpy().data)
        self._empty = samples[:0]

    def compute(self) -> Result:
        """Train on generated, on real, and on all images; test on the real test split."""
        context, spec = self.context, self.context.spec
        if context.prepared is None:
            return Result({})
        train, test = (read_packed(context.prepared, split).only((spec.target, LABEL)) for split in ("train", "test"))
        synthetic = Rows({spec.target: self._kept(), LABEL: context.classes})
        if (context.classes < 0).any():  # of classes that the data do not have
            synthetic = synthetic.select((context.classes >= 0).nonzero().flatten())
        accuracies = []
        for name, data, also in (("generated", synthetic, None), ("real", train, None), ("both", train, synthetic)):
            settings = context.params.classifier
            count = len(data) + (0 if also is None else len(also))
            shown = round(min(settings.epochs * count, settings.max_kimg * 1000))
            with progress(f"cas {name}", shown, "images") as bar:
                device = context.features_from.device
                trained = train_classifier(data, test, spec, settings, context.seed, device, bar.update, also)
            accuracies.append(trained.description.accuracy)
        generated_only, real_only, together = accuracies
        errors = [share_error(accuracy, len(test)) for accuracy in accuracies]
        return Result(
            {
                "cas": Estimate(generated_only, errors[0]),
                "cas_gain": Estimate(together - real_only, hypot(errors[1], errors[2])),
            },
            context.params.classifier.model_dump(mode="json"),
        )

    def _kept(self) -> Tensor:
        """All samples, of which those that are used take memory."""
        self._file.flush()
        pixels = torch.from_numpy(np.memmap(self._file, self._empty.numpy().dtype, "r+"))
        return pixels.view(-1, *self._empty.shape[1:])


GROUP = MetricGroup(
    "cas",
    (
        Metric("cas", "CAS", "higher", "Accuracy on real images of a classifier trained on generated ones alone."),
        Metric("cas_gain", "CAS gain", "higher", "What adding generated images to the real ones gains in accuracy."),
    ),
    has_classes,
    _Training,
    CLASSES,
    fewest_test=FEWEST_TEST,
    needs_classifier=True,
    validates=False,
)
