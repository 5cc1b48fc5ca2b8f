"""prepare: read the source of images, check each one, pack both splits, say what was left out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ganops.params import DataParams, load_params
from pipeline.stages.entry import run_stage
from pipeline.stages.results import PREPARED

if TYPE_CHECKING:
    from ganops.data.manifest import Manifest
    from ganops.data.spec import DataSpec

SPLIT_WORDS = {
    "published": "split as published",
    "folders": "split as the folders say",
    "content": "split by the images' own content",
}


def main() -> None:
    """Prepare what params.yaml asks for into data/prepared, and print a summary."""
    # Imported here: the processes that decode images import this module, and none of them needs torch.
    from ganops.data.prepare import prepare

    # A temporary copy of the checkout (dvc exp run --temp) has none of the ignored files: raw data stay in the first.
    root = Path(os.environ.get("DVC_ROOT", "."))
    data = _at(root, load_params().data)
    print(describe(prepare(data, PREPARED, raw=root / "data" / "raw")))


def describe(manifest: Manifest) -> str:
    """What was prepared, in some lines for a person."""
    counts = ", ".join(f"{count:,} {split}" for split, count in manifest.counts.items())
    lines = [
        f"prepared {manifest.source} ({manifest.origin}): {_form(manifest.spec)}",
        f"  {'vectors' if manifest.spec.of_vectors else 'images '}   {counts} ({SPLIT_WORDS[manifest.split_by]})",
        f"  classes   {_classes(manifest.spec)}",
        f"  digest    {manifest.digest[:12]}",
    ]
    if manifest.rejected_count:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in manifest.rejected_reasons.items())
        lines.append(f"  rejected  {manifest.rejected_count:,}: {reasons} ({PREPARED}/manifest.json names them)")
    return "\n".join(lines)


def _form(spec: DataSpec) -> str:
    channels, height, width = spec.shape
    return spec.words if spec.of_vectors else f"{width}x{height}, {channels} channel{'s'[: channels > 1]}"


def _classes(spec: DataSpec) -> str:
    return f"{len(spec.classes)}: {spec.class_words}" if spec.classes else spec.class_words


def _at(root: Path, data: DataParams) -> DataParams:
    """The same settings with their relative paths counted from `root`, unless they exist from here."""
    moved = {
        key: root / path
        for key, path in (("home", data.home), ("path", data.path))
        if path is not None and not path.expanduser().is_absolute() and not path.exists()
    }
    return data.model_copy(update=moved)


if __name__ == "__main__":
    run_stage(main)
