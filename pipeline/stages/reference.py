"""Stage reference: what evaluation needs of the real data, computed once for all recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ganops.atomic import write_json
from ganops.data.manifest import read_manifest
from ganops.data.unaltered import require_unaltered
from ganops.devices import find_device
from ganops.evaluation.directions import joint_scores
from ganops.evaluation.evaluate import open_evaluator
from ganops.evaluation.reference import make_reference
from ganops.evaluation.rows import ScoredRow, real_row
from ganops.malloc import disable_malloc_trim
from ganops.resolved import load_params
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage

if TYPE_CHECKING:
    from ganops.evaluation.real import ReferenceDescription

COUNTING_ACCURACY = 0.99  # what a classifier of digits must reach for the modes of stacked MNIST to be counted with it


def main() -> None:
    """Make results/reference out of data/prepared, score the real test images like a model, and report both."""
    disable_malloc_trim()
    params, folder = load_params(WORKSPACE.params), WORKSPACE.reference
    device = find_device()
    manifest = read_manifest(WORKSPACE.prepared)
    require_unaltered(WORKSPACE.prepared, manifest)
    domains = list(manifest.spec.domains)
    found = {}
    for domain in domains or [""]:
        real, data = folder / domain, WORKSPACE.prepared / domain
        print(describe(make_reference(data, params.evaluate, real, params.seed, device)), flush=True)
        row = real_row(open_evaluator(real, data, params.evaluate, params.seed, device))
        if row is not None:
            found[domain] = row
            shown = ", ".join(f"{key} {estimate.value:.4g}" for key, estimate in row.scores.items())
            print(f"{row.title}, scored like a model: {shown}")
    if found:
        # What models make of A belongs to B, and is their first task.
        tasks = (
            {f"{other}to{domain}": found[domain] for other, domain in (domains, domains[::-1])} if domains else found
        )
        write_real_row(folder, tasks)


def write_real_row(folder: Path, tasks: Mapping[str, ScoredRow]) -> None:
    """Write the row of real images, by the task that they are the best possible outputs of."""
    first = next(iter(tasks.values()))
    row = replace(first, scores=joint_scores({task: each.scores for task, each in tasks.items()}))
    write_json(folder / "rows" / f"{row.name}.json", row.dump())


def describe(made: ReferenceDescription) -> str:
    """What the reference holds, in a few lines for a person."""
    counts = ", ".join(f"{count:,} {split}" for split, count in made.counts.items())
    lines = [f"reference: {made.features} features of {counts} images; scores compare with the {made.split} split"]
    if made.classifier_accuracy is not None:
        lines.append(f"  the classifier is right on {made.classifier_accuracy:.1%} of the test images")
    if made.channel_accuracy is not None:
        lines.append(f"  which is {made.channel_accuracy:.2%} of their channels")
        if made.channel_accuracy < COUNTING_ACCURACY:
            lines.append(
                f"  below {COUNTING_ACCURACY:.0%}: the modes it counts do not compare with published ones; "
                "raise evaluate.classifier.max_kimg"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    run_stage(main)
