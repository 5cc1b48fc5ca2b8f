"""The curves of a training: summed on the device between rows, kept as rows, written as history.csv."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganops.atomic import write_text

Row = dict[str, float]


class Curves:
    """Means over the steps since the last row, without waiting for the device until a row is taken."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: dict[str, Tensor]) -> None:
        """Add one observation of each named scalar."""
        for name, value in values.items():
            value = value.detach()
            self._sums[name] = self._sums[name] + value if name in self._sums else value.float().clone()
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> Row:
        """The means of all that was added, fetched in one transfer; then start over."""
        names = list(self._sums)
        if not names:
            return {}
        sums = torch.stack([self._sums[name] for name in names]).tolist()
        row = {name: total / self._counts[name] for name, total in zip(names, sums, strict=True)}
        self._sums = {}
        self._counts = {}
        return row

    def state(self) -> dict[str, Any]:
        """What was added since the last row, for a checkpoint."""
        return {"sums": self._sums, "counts": self._counts}

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])


def write_history(path: Path, rows: list[Row]) -> None:
    """Write rows as CSV with columns step, kimg and then each curve; a curve's missing value is an empty cell.

    Numbers are written with nine digits, the precision of a float32, so that equal runs give equal files.
    """
    names = ["step", "kimg"]
    names += sorted({name for row in rows for name in row} - set(names))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    write_text(path, buffer.getvalue())


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.9g}" if math.isfinite(value) else str(value)
