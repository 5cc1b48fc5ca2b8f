"""The folders in which the raw files of standard data sets may lie."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ganops.errors import DataError

DATA_HOME_VARIABLE = "GANOPS_DATA_HOME"
DEBIAN_HOME = Path("/usr/share/datasets")  # where Debian's dataset-* packages put theirs


def data_roots(home: Path | None, raw: Path) -> list[Path]:
    """Where to look, in this order: data.home (or else GANOPS_DATA_HOME), the project's `raw`, Debian's data sets.

    Raises DataError when the named home does not exist.
    """
    variable = os.environ.get(DATA_HOME_VARIABLE)
    named = home or (Path(variable) if variable else None)
    if named is None:
        return [raw, DEBIAN_HOME]
    if not named.expanduser().is_dir():
        raise DataError(
            f"the data home {named} is not a folder",
            code="data-home-missing",
            expected="a folder with data sets",
            found=f"{'data.home in params.yaml' if home else DATA_HOME_VARIABLE}: {named}",
            action="correct data.home in params.yaml" if home else f"correct or unset {DATA_HOME_VARIABLE}",
        )
    return [named.expanduser(), raw, DEBIAN_HOME]


def find_files(homes: Sequence[Path], folders: Sequence[str], names: Sequence[str]) -> list[Path] | None:
    """Paths of all `names`, plain or gzipped, in the first folder that has them all; None where no folder has."""
    for folder in (home / name for home in homes for name in folders):
        found = [next(_existing(folder / name), None) for name in names]
        complete = [path for path in found if path is not None]
        if len(complete) == len(names):
            return complete
    return None


def _existing(path: Path) -> Iterator[Path]:
    return (each for each in (path, path.with_name(f"{path.name}.gz")) if each.is_file())
