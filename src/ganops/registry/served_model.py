"""The registered model as MLflow runs it: requests in, generated rows out, both in the wire form of the task's fields.

MLflow keeps a copy of this file with the model, together with the ganops source of that day, and runs it by path. It
depends on nothing else, so old versions keep working when ganops changes.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import torch
import yaml
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.errors import DataError
from ganops.games.game import Game
from ganops.games.sampling import draw_classes, sample_outputs
from ganops.games.saved import load_game

MOST_ROWS = 10_000
PARAMS = {"seed"}
LONGEST = 500  # characters of an answer to a bad request


class ServedGenerator(PythonModel):
    """Generates on request.

    Input: `n` (how many outputs for this row, a whole number from 1) and a column for each input of the task; a class
    may be left out, and is then drawn by the shares of the classes in the training data.
    Param `seed` (0 or more): the same seed and rows give the same answer.
    Output, `n` rows for each input row: a column for each output of the task, the class where there is one, and `model`
    (NAME/VERSION, or null where it is not known).
    """

    game: Game
    model: str | None

    def load_context(self, context: Any) -> None:
        """Build the networks and load their weights; `device` in the model config is `cpu` by default."""
        folder = Path(context.artifacts["model"])
        self.game = load_game(folder, (context.model_config or {}).get("device", "cpu"))
        self.model = registered_as(folder.parent.parent)
        refuse_what_is_ignored()

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Answer all rows of `model_input`, in their order, from one seed."""
        records = model_input.to_dict(orient="records")
        counts = [whole_number(record.get("n"), "n", least=1) for record in records]
        total = sum(counts)
        if not 0 < total <= MOST_ROWS:
            raise refused(f"one request may ask for 1 to {MOST_ROWS:,} rows, not {total:,}")
        seed = whole_number((params or {}).get("seed", 0), "seed", least=0)
        if seed >= 2**31:
            raise refused(f"seed is at most 2^31 - 1, not {seed}")
        inputs = self.game.task.inputs
        given = {name: self._column(name, field, records, counts, seed) for name, field in inputs.items()}
        outputs = sample_outputs(self.game, total, seed, given=given or None)
        answer = {name: field.encode(outputs[name]) for name, field in self.game.task.outputs.items()}
        classes = {
            name: field.encode(given[name]) for name, field in inputs.items() if isinstance(field, CategoryField)
        }
        return pd.DataFrame({**answer, **classes, "model": [self.model] * total})

    def _column(
        self, name: str, field: Field, records: Sequence[Mapping[Hashable, Any]], counts: Sequence[int], seed: int
    ) -> Tensor:
        """The stored input column of all rows that are asked for; classes that are left out are drawn together."""
        parts, left_out = list[Tensor](), [is_missing(record.get(name)) for record in records]
        open_rows = [count for count, missing in zip(counts, left_out, strict=True) if missing]
        if open_rows and not isinstance(field, CategoryField):
            raise refused(f"'{name}' is missing: {field.description}")
        drawn = iter(_drawn(field, open_rows, seed))
        for record, count, missing in zip(records, counts, left_out, strict=True):
            if missing:
                parts.append(next(drawn))
                continue
            try:
                parts.append(field.decode([record[name]]).repeat_interleave(count, dim=0))
            except DataError as error:
                raise refused(f"'{name}': {error}") from error
        return torch.cat(parts)


def _drawn(field: Field, counts: list[int], seed: int) -> Sequence[Tensor]:
    """Classes by their shares for pieces of so many rows each; nothing for other fields."""
    return torch.split(draw_classes(field, sum(counts), seed), counts) if isinstance(field, CategoryField) else ()


def whole_number(value: Any, name: str, least: int) -> int:
    """`value` as an int; refused unless it is a whole number (not true, not text) of at least `least`."""
    known = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool | np.bool_)
    if not known or not float(value).is_integer() or value < least:
        raise refused(f"{name} must be a whole number of at least {least}, not {repr(value)[:LONGEST]}")
    return int(value)


def is_missing(value: Any) -> bool:
    """Whether a request has no value in a column: None, NaN or the empty string."""
    return value is None or value == "" or (isinstance(value, float) and value != value)


def registered_as(package: Path) -> str | None:
    """NAME/VERSION from the file that MLflow writes when it loads a registered model."""
    try:
        found = yaml.safe_load((package / "registered_model_meta").read_text(encoding="utf-8"))
        return f"{found['model_name']}/{found['model_version']}"
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None


class _Ignored(logging.Filter):
    """Turns MLflow's warnings that it ignores unknown params and columns of a request into a refusal."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if message.startswith("Unrecognized params") and f"Supported params are: {PARAMS}" in message:
            raise refused(f"{message.partition(' are ignored')[0]}; supported params: {', '.join(sorted(PARAMS))}")
        if message.startswith("Found extra inputs"):
            raise refused(message.partition(" These inputs")[0][:LONGEST])
        return True


def refuse_what_is_ignored() -> None:
    """MLflow drops what the signature does not have before the model sees it; its warning is all there is."""
    logger = logging.getLogger("mlflow.models.utils")
    if not any(type(each).__name__ == _Ignored.__name__ for each in logger.filters):
        logger.addFilter(_Ignored())


def refused(message: str) -> MlflowException:
    """The error that a server answers with status 400."""
    return MlflowException.invalid_parameter_value(message)


mlflow.models.set_model(ServedGenerator())
