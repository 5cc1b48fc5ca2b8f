"""The packed form of a data set: one file of rows per split and domain, mapped into memory rather than read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ganops.data.fields.field import Field, Schema
from ganops.data.rows import Rows
from ganops.data.tensor_file import Pieces, map_tensors, write_tensors
from ganops.errors import DataError

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
RowIndices = NDArray[np.int64]

PAIRED = "rows"  # name of the only file of a split, where all columns belong together
PIECE_BYTES = 16 * 2**20  # how much of a column is in memory at a time


def split_path(folder: Path, split: Split, domain: str | None = None) -> Path:
    """Where the packed file of `split` lies inside a prepared folder; unpaired data have one for each domain."""
    return folder / split / f"{domain or PAIRED}.safetensors"


def write_packed(folder: Path, split: Split, rows: Rows, fields: Schema, domain: str | None = None) -> None:
    """Write stored rows as one split, or as that of one domain, atomically.

    Raises DataError for columns that are not those of `fields`, and where the file cannot be written (a full disk).
    """
    columns = {name: column.cpu().numpy() for name, column in rows.only(fields).items()}
    write_columns(folder, split, columns, np.arange(len(rows)), fields, domain)


def write_columns(
    folder: Path,
    split: Split,
    columns: Mapping[str, NDArray[Any]],
    rows: RowIndices,
    fields: Schema,
    domain: str | None = None,
) -> None:
    """As `write_packed`, for the given rows of columns that may lie on disk and never are in memory as a whole."""
    path = split_path(folder, split, domain)
    tensors = {
        name: Pieces(field.storage, (len(rows), *field.shape), _pieces(field, columns[name], rows))
        for name, field in fields.items()
    }
    try:
        write_tensors(path, tensors)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written",
            code="packed-unwritable",
            found=str(error),
            action="check the free space and the permissions there",
        ) from error


def read_packed(folder: Path, split: Split) -> Rows:
    """Read one split. Its file is mapped: only rows that are used take memory, and it may be larger than all memory.

    The columns are read-only: writing to one in place ends the process. Raises DataError where the file is missing or
    damaged, and for unpaired data, which `read_domains` reads.
    """
    names = _domain_names(folder, split)
    if names and PAIRED not in names:
        raise DataError(
            "the data are two domains without pairs",
            code="unpaired-data",
            expected="rows that belong together",
            found=f"domains {', '.join(names)}",
            action="choose a recipe for unpaired data",
        )
    return _read(split_path(folder, split))


def read_domains(folder: Path, split: Split) -> dict[str, Rows]:
    """Read one split of unpaired data: the rows of each domain by its name, in alphabetical order.

    Otherwise as `read_packed`; paired data raise DataError.
    """
    names = _domain_names(folder, split)
    if PAIRED in names:
        raise DataError(
            "the data are no two domains",
            code="paired-data",
            expected="two domains, each with rows of its own",
            found="one set of rows",
            action="choose a recipe for paired data, or give the data as two domains (docs/data.md)",
        )
    if not names:
        raise _missing(folder / split)
    return {name: _read(split_path(folder, split, name)) for name in names}


def remove_others(folder: Path, split: Split, domains: Collection[str]) -> None:
    """Delete the packed files of former data that had other domains; none stands for paired data."""
    for name in _domain_names(folder, split):
        if name not in (domains or (PAIRED,)):
            split_path(folder, split, name).unlink()


def _domain_names(folder: Path, split: Split) -> list[str]:
    return sorted(path.stem for path in (folder / split).glob("*.safetensors"))


def _missing(path: Path) -> DataError:
    return DataError(f"{path} is missing", code="packed-missing", action="run the prepare stage: dvc repro prepare")


def _read(path: Path) -> Rows:
    try:
        return Rows(map_tensors(path))
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, ValueError, RuntimeError, DataError) as error:
        raise DataError(
            f"{path} cannot be read",
            code="packed-unreadable",
            found=str(error),
            action="prepare the data again: dvc repro --force prepare",
        ) from error


def subsample(rows: Rows, count: int, seed: int) -> Rows:
    """`count` of the rows, drawn by `seed`; raises DataError where there are fewer."""
    if count > len(rows):
        raise DataError(
            "the training split has fewer rows than the recipe asks for",
            code="too-few-rows",
            expected=f"at least {count:,}",
            found=f"{len(rows):,}",
            action="lower `images` in the recipe, or set it to null for all",
        )
    return rows.select(torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:count])


def rows_per_piece(row_bytes: int) -> int:
    """How many rows of this size to handle at a time, so that memory use does not depend on the size of a row."""
    return max(1, PIECE_BYTES // max(1, row_bytes))


def _pieces(field: Field, column: NDArray[Any], rows: RowIndices) -> Iterator[NDArray[Any]]:
    size = rows_per_piece(column[:1].nbytes)
    for start in range(0, len(rows), size):
        piece = column[rows[start : start + size]]
        field.check(torch.from_numpy(piece))
        yield piece
