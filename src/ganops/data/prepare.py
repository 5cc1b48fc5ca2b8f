"""From a source to a prepared folder: both splits packed, and the manifest that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from ganops.data.digest import digest
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.manifest import Manifest, Rejected, manifest_path
from ganops.data.packed import SPLITS, Split, read_domains, read_packed, remove_others, write_columns
from ganops.data.raw_dataset import RawDataset, RawDomains
from ganops.data.rejection import count_reasons, printable
from ganops.data.sources.source import SourceContext, find_source
from ganops.data.spec import LABEL, DataSpec
from ganops.data.splitting import LEAST_ROWS
from ganops.errors import DataError
from ganops.params import DataParams
from ganops.workspace import WORKSPACE

LISTED_REJECTIONS = 1000  # the manifest names so many; it counts all


def prepare(params: DataParams, out: Path, *, raw: Path = WORKSPACE.raw, processes: int | None = None) -> Manifest:
    """Pack the data that `params` ask for into the folder `out`: {train,test}/*.safetensors and manifest.json.

    raw: the folder for downloads. processes: how many decode image files, None for as many as there are cores.
    The manifest is deleted first and written last: where it exists, the folder is complete.
    Raises DataError when the source is missing, damaged, too small, or has too many broken files.
    """
    collected = find_source(params.source, params.options).collect(SourceContext(params, raw, out, processes))
    parts: dict[str | None, RawDataset] = (
        dict(collected.domains.items()) if isinstance(collected, RawDomains) else {None: collected}
    )
    domains = [name for name in parts if name is not None]
    for part in parts.values():
        _check_enough(part)
    spec = DataSpec(
        fields={
            name: _with_shares(name, field, part) for part in parts.values() for name, field in part.fields.items()
        },
        paired=not domains,
    )
    manifest_path(out).unlink(missing_ok=True)
    for split in SPLITS:
        remove_others(out, split, domains)
        for domain, part in parts.items():
            write_columns(
                out, split, part.columns, part.rows[split], spec.domains[domain] if domain else spec.fields, domain
            )
    counts = [{split: len(part.rows[split]) for split in SPLITS} for part in parts.values()]
    first = next(iter(parts.values()))
    manifest = Manifest(
        source=params.source,
        origin=collected.origin,
        digest=digest({split: _columns(out, split, spec) for split in SPLITS}),
        spec=spec,
        split_by=first.split_by,
        counts={split: min(each[split] for each in counts) for split in SPLITS},
        domain_counts=dict(zip(domains, counts, strict=False)),
        class_counts=_class_counts(first, spec),
        rejected_count=len(collected.rejections),
        rejected_reasons=count_reasons(collected.rejections),
        rejected=tuple(
            Rejected(name=printable(each.name), reason=each.words) for each in collected.rejections[:LISTED_REJECTIONS]
        ),
    )
    manifest.write(out)
    return manifest


def _columns(folder: Path, split: Split, spec: DataSpec) -> Mapping[str, Tensor]:
    if spec.paired:
        return read_packed(folder, split)
    return {name: column for rows in read_domains(folder, split).values() for name, column in rows.items()}


def _with_shares(name: str, field: Field, dataset: RawDataset) -> Field:
    """A category with the shares that its classes have in the train split; any other field as it is."""
    if not isinstance(field, CategoryField):
        return field
    counts = _counts(name, field, dataset, "train")
    return field.model_copy(update={"shares": tuple(count / sum(counts) for count in counts)})


def _class_counts(dataset: RawDataset, spec: DataSpec) -> dict[Split, dict[str, int]]:
    label = spec.fields.get(LABEL)
    if not isinstance(label, CategoryField):
        return {}
    return {split: dict(zip(label.classes, _counts(LABEL, label, dataset, split), strict=True)) for split in SPLITS}


def _counts(name: str, field: CategoryField, dataset: RawDataset, split: Split) -> list[int]:
    labels = dataset.columns[name][dataset.rows[split]]
    counts: list[int] = np.bincount(labels, minlength=len(field.classes)).tolist()
    return counts


def _check_enough(dataset: RawDataset) -> None:
    train, test = (len(dataset.rows[split]) for split in SPLITS)
    if min(train, test) < LEAST_ROWS:
        raise DataError(
            "the data set is too small",
            code="too-few-rows",
            expected=f"at least {LEAST_ROWS} rows for training and {LEAST_ROWS} for the test",
            found=f"{train} for training, {test} for the test",
            action="add more to the split that lacks them" if dataset.split_by == "folders" else "add more",
        )
