"""From a source to a prepared folder: both splits packed, and the manifest that says what they are."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ganops.data.digest import digest
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.manifest import Manifest, Rejected, manifest_path
from ganops.data.packed import SPLITS, Split, read_packed, write_columns
from ganops.data.raw_dataset import RawDataset, RawDomains
from ganops.data.rejection import count_reasons, offenders, printable
from ganops.data.sources.source import SourceContext, find_source
from ganops.data.spec import DOMAINS, LABEL, DataSpec, joint_name
from ganops.data.splitting import LEAST_ROWS
from ganops.errors import DataError, SettingsError
from ganops.params import DataParams
from ganops.workspace import WORKSPACE

LISTED_REJECTIONS = 1000  # the manifest names so many; it counts all


def prepare(params: DataParams, out: Path, *, raw: Path = WORKSPACE.raw, processes: int | None = None) -> Manifest:
    """Pack the data that `params` ask for into the folder `out`: {train,test}/rows.safetensors and manifest.json.

    Of unpaired data each domain has such a folder of its own inside of `out`, and `out` the manifest of both.
    raw: the folder for downloads. processes: how many decode image files, None for as many as there are cores.
    The manifest is deleted first and written last: where it exists, the folder is complete.
    Raises DataError when the source is missing, damaged, too small, or has too many broken files, and SettingsError for
    settings that this source does not have.
    """
    source = find_source(params.source, params.options)
    if params.path is not None and not source.reads_path:
        raise SettingsError(
            f"data.path has no effect on data.source '{params.source}'",
            code="idle-option",
            found=f"data.path: {params.path}",
            action="set data.source to images to train on these, or data.path to null",
        )
    collected = source.collect(SourceContext(params, raw, out, processes))
    manifest_path(out).unlink(missing_ok=True)
    if isinstance(collected, RawDomains):
        _remove(out, SPLITS)
        manifest = _pack_domains(collected, params, out)
    else:
        _remove(out, DOMAINS)
        manifest = _pack(collected, params, out)
    manifest = manifest.model_copy(
        update={
            "rejected_count": len(collected.rejections),
            "rejected_reasons": count_reasons(collected.rejections),
            "rejected": tuple(
                Rejected(name=printable(each.name), reason=each.words)
                for each in collected.rejections[:LISTED_REJECTIONS]
            ),
        }
    )
    manifest.write(manifest_path(out))
    return manifest


def _pack(dataset: RawDataset, params: DataParams, out: Path) -> Manifest:
    """Write the splits of one data set; its manifest says all but what was rejected."""
    _check_enough(dataset)
    spec = DataSpec(fields={name: _with_shares(name, field, dataset) for name, field in dataset.fields.items()})
    for split in SPLITS:
        write_columns(out, split, dataset.columns, dataset.rows[split], spec.fields)
    return Manifest(
        source=params.source,
        origin=dataset.origin,
        digest=digest({split: read_packed(out, split) for split in SPLITS}),
        spec=spec,
        split_by=dataset.split_by,
        counts={split: len(dataset.rows[split]) for split in SPLITS},
        class_counts=_class_counts(dataset, spec),
    )


def _pack_domains(collected: RawDomains, params: DataParams, out: Path) -> Manifest:
    """Write each domain as a data set of its own; the manifest of both together."""
    parts = {name: _pack(dataset, params, out / name) for name, dataset in collected.domains.items()}
    for name, part in parts.items():
        part.write(manifest_path(out / name))
    fields = {joint_name(name, own): field for name, part in parts.items() for own, field in part.spec.fields.items()}
    return Manifest(
        source=params.source,
        origin=collected.origin,
        digest=hashlib.sha256("".join(part.digest for part in parts.values()).encode()).hexdigest(),
        spec=DataSpec(fields=fields, paired=False),
        split_by=next(iter(parts.values())).split_by,
        counts={split: min(part.counts[split] for part in parts.values()) for split in SPLITS},
        domain_counts={name: part.counts for name, part in parts.items()},
    )


def _remove(folder: Path, names: Iterable[str]) -> None:
    """Delete what former data of another form left."""
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)


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
        refused = f"; rejected: {offenders(dataset.rejections)}" if dataset.rejections else ""
        raise DataError(
            "the data set is too small",
            code="too-few-rows",
            expected=f"at least {LEAST_ROWS} rows for training and {LEAST_ROWS} for the test",
            found=f"{train} for training, {test} for the test{refused}",
            action="add more to the split that lacks them" if dataset.split_by == "folders" else "add more",
        )
