"""The program of the smoke test: `python smoke_check.py FOLDER` loads an MLflow model and sends it its own example.

It imports nothing of ganops, so that the source which the model carries is what runs, as it does when it is served.
"""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow.pyfunc
import torch


def complaint(folder: str) -> str:
    """What is wrong with the model in `folder`; empty when its answer to its example is valid, and varies."""
    # From here on: bytecode next to the package's source is neither written nor trusted; the folder is empty.
    sys.pycache_prefix = str(Path.cwd())
    model = mlflow.pyfunc.load_model(folder)
    game = model.unwrap_python_model().game
    if broken := broken_weights(game):
        return broken
    example = model.metadata.load_input_example(folder)
    count = int(example["n"].sum())
    answer = model.predict(example, params={"seed": 1})
    if len(answer) != count:
        return f"it answers with {len(answer)} rows when asked for {count}"
    for name, field in game.task.outputs.items():
        stored = field.decode(list(answer[name]))
        field.check(stored)
        if broken := broken_rows(name, stored):
            return broken
    return ""


def broken_weights(game: torch.nn.Module) -> str:
    """Which weights are not finite; empty when all are."""
    broken = [name for name, tensor in game.state_dict().items() if not torch.isfinite(tensor).all()]
    return f"the weights {', '.join(broken[:3])} hold numbers that are not finite" if broken else ""


def broken_rows(name: str, stored: torch.Tensor) -> str:
    """Why the rows of an output cannot be right; empty when they vary, within a row and from row to row."""
    rows = stored.reshape(len(stored), -1)
    if rows.shape[1] > 1 and bool((rows.amin(1) == rows.amax(1)).any()):
        return f"a row of '{name}' has the same value everywhere"
    if bool((rows == rows[:1]).all()):
        return f"all rows of '{name}' are the same"
    return ""


if __name__ == "__main__":
    try:
        sys.exit(complaint(sys.argv[1]) or 0)
    except Exception as error:  # any error of a model that is loaded or asked is what this test is for
        sys.exit(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
