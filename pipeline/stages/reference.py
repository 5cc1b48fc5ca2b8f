"""Stage reference: what evaluation needs of the real data, computed once for all recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ganops.evaluation.reference import make_reference
from ganops.params import load_params
from pipeline.stages.entry import run_stage
from pipeline.stages.results import PARAMS, PREPARED, REFERENCE

if TYPE_CHECKING:
    from ganops.evaluation.real import ReferenceDescription

COUNTING_ACCURACY = 0.99  # what a classifier of digits must have for the modes of stacked MNIST to be counted with it


def main() -> None:
    """Make results/reference out of data/prepared, and say what it holds."""
    params = load_params(PARAMS)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(describe(make_reference(PREPARED, params.evaluate, REFERENCE, params.seed, device)))


def describe(made: ReferenceDescription) -> str:
    """What the reference holds, in some lines for a person."""
    counts = ", ".join(f"{count:,} {split}" for split, count in made.counts.items())
    lines = [f"reference: {made.extractor} features of {counts} images; scores compare with the {made.split} split"]
    if made.classifier_accuracy is not None:
        lines.append(f"  the classifier names {made.classifier_accuracy:.1%} of the test images rightly")
    if made.channel_accuracy is not None:
        lines.append(f"  that is {made.channel_accuracy:.2%} of their channels")
        if made.channel_accuracy < COUNTING_ACCURACY:
            lines.append(
                f"  below {COUNTING_ACCURACY:.0%}: the modes it counts do not compare with published ones; "
                "raise evaluate.classifier.max_kimg"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    run_stage(main)
