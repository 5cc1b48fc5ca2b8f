"""The packed form of a data set: one file of rows per split, mapped into memory rather than read.

Of unpaired data each domain is a data set of its own in a folder named after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ganops.data.fields.field import Field, Schema
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec, joint_name
from ganops.data.tensor_file import Pieces, map_tensors, write_tensors
from ganops.errors import DataError

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
RowIndices = NDArray[np.int64]

PIECE_BYTES = 16 * 2**20  # how much of a column is in memory at a time


def split_path(folder: Path, split: Split) -> Path:
    """Where the packed file of `split` lies inside a prepared folder."""
    return folder / split / "rows.safetensors"


def write_packed(folder: Path, split: Split, rows: Rows, fields: Schema) -> None:
    """Write stored rows as one split, atomically.

    Raises DataError for columns that are not those of `fields`, and where the file cannot be written (a full disk).
    """
    columns = {name: column.cpu().numpy() for name, column in rows.only(fields).items()}
    write_columns(folder, split, columns, np.arange(len(rows)), fields)


def write_columns(
    folder: Path, split: Split, columns: Mapping[str, NDArray[Any]], rows: RowIndices, fields: Schema
) -> None:
    """As `write_packed`, for the given rows of columns that may lie on disk and never are in memory as a whole."""
    path = split_path(folder, split)
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
    damaged.
    """
    path = split_path(folder, split)
    try:
        return Rows(map_tensors(path))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing", code="packed-missing", action="run the prepare stage: dvc repro prepare"
        ) from None
    except (OSError, ValueError, RuntimeError, DataError) as error:
        raise DataError(
            f"{path} cannot be read",
            code="packed-unreadable",
            found=str(error),
            action="prepare the data again: dvc repro --force prepare",
        ) from error


def read_domains(folder: Path, split: Split, spec: DataSpec) -> dict[str, Rows]:
    """Read one split as sets of rows that belong together: of paired data one, of unpaired data one for each domain.

    spec: of the data; the columns have its names.
    """
    if spec.paired:
        return {spec.target: read_packed(folder, split)}
    return {
        domain: Rows({joint_name(domain, name): column for name, column in read_packed(folder / domain, split).items()})
        for domain in spec.domains
    }


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
