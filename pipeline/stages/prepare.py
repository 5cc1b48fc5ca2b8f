"""Stage prepare: read the source of data, check each row, pack both splits, list what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganops.params import read_params
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage
from pipeline.stages.inventory import checkout_root, located

if TYPE_CHECKING:
    from ganops.data.manifest import Manifest

SPLIT_WORDS = {
    "published": "split as published",
    "folders": "split as the folders say",
    "content": "split by the images' own content",
}


def main() -> None:
    """Prepare what params.yaml asks for into data/prepared, and print a summary."""
    # Imported here: the processes that decode images import this module, and none of them needs torch.
    from ganops.data.prepare import prepare

    data = located(read_params(WORKSPACE.params).data)
    print(describe(prepare(data, WORKSPACE.prepared, raw=checkout_root() / WORKSPACE.raw)))


def describe(manifest: Manifest) -> str:
    """What was prepared, in some lines for a person."""
    from ganops.data.spec import LABEL

    spec, domains = manifest.spec, manifest.domain_counts
    fields = (f"{name}: {field.description}" for name, field in spec.fields.items() if name.rpartition("_")[2] != LABEL)
    lines = [f"prepared {manifest.source} ({manifest.origin}): {'; '.join(fields)}"]
    for domain, counts in (domains or {"rows": manifest.counts}).items():
        words = ", ".join(f"{count:,} {split}" for split, count in counts.items())
        lines.append(f"  {domain:<9} {words} ({SPLIT_WORDS[manifest.split_by]})")
    lines += [f"  classes   {_classes(manifest)}", f"  digest    {manifest.digest[:12]}"]
    if manifest.rejected_count:
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in manifest.rejected_reasons.items())
        names = f"{WORKSPACE.prepared}/manifest.json names them"
        lines.append(f"  rejected  {manifest.rejected_count:,}: {reasons}; {names}")
    return "\n".join(lines)


def _classes(manifest: Manifest) -> str:
    label = next((field for name, field in manifest.spec.fields.items() if name == "label"), None)
    return f"{len(manifest.spec.classes):,}: {label.description}" if label else "none"


if __name__ == "__main__":
    run_stage(main)
