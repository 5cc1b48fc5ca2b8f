"""A model folder as an MLflow model: code, safetensors and source, no pickle; served by `mlflow models serve`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import ganops
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.rows import Rows
from ganops.games.saved import digest_of, load_description, load_game
from ganops.games.task import Task
from ganops.registry.versions import CONTENT
from ganops.tracking.process import process_tags
from ganops.tracking.store import Store

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

# What the carried source imports when it generates; tests/registry/test_package.py checks that nothing is missing.
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pillow", "pydantic", "pyyaml", "safetensors", "torch")
SOURCE = Path(ganops.__file__).parent
SERVED_MODEL = Path(__file__).with_name("served_model.py")
MODEL_NAME = "model"
EXAMPLES = 8  # rows of the request that travels with the model; the smoke test sends it


def log_package(store: Store, run_id: str, folder: Path, card: Path, inputs: Rows | None = None) -> str:
    """Log the model folder, its card and the ganops source as an MLflow model of a run; its address.

    card: a folder that travels with the model. inputs: stored inputs for the example request, where the task has inputs
    that a caller must give.
    """
    import mlflow

    description, task = load_description(folder), load_game(folder).task
    mlflow.set_tracking_uri(store.uri)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name=MODEL_NAME,
            python_model=str(SERVED_MODEL),
            artifacts={"model": str(folder), "card": str(card)},
            code_paths=[str(SOURCE)],
            signature=signature(task),
            input_example=(_example(task, inputs), {"seed": 0}),
            tags=process_tags(),  # so that `sweep` finds it where this process is killed before it is a version
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
            metadata={
                "recipe": description.name,
                CONTENT: digest_of(folder),
                "loads": f"{SERVED_MODEL.name} and safetensors, no pickle",
                "inputs": {name: field.description for name, field in task.inputs.items()},
                "outputs": {name: field.description for name, field in task.outputs.items()},
            },
        )
    return str(logged.model_uri)


def signature(task: Task) -> ModelSignature:
    """The columns of a request and of an answer.

    `n` has no type: MLflow would convert 1.5, true and "3" silently, and the model refuses these itself.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec
    from mlflow.types.schema import AnyType, Schema

    given = [
        ColSpec(_type(field), name, required=not isinstance(field, CategoryField))
        for name, field in task.inputs.items()
    ]
    asked = [
        ColSpec(_type(field), name, required=False)
        for name, field in task.inputs.items()
        if isinstance(field, CategoryField)
    ]
    made = [ColSpec(_type(field), name) for name, field in task.outputs.items()]
    return ModelSignature(
        inputs=Schema([ColSpec(AnyType(), "n"), *given]),
        outputs=Schema([*made, *asked, ColSpec(DataType.string, "model", required=False)]),
        params=ParamSchema([ParamSpec("seed", DataType.long, 0)]),
    )


def _type(field: Field) -> Any:
    """The type of a field's wire form, from the wire form of one row of zeros."""
    from mlflow.types import DataType
    from mlflow.types.schema import Array

    (wire,) = field.encode(torch.zeros(1, *field.shape, dtype=field.storage))
    if isinstance(wire, list):
        return Array(DataType.double)
    return DataType.string if isinstance(wire, str) else DataType.double


def _example(task: Task, inputs: Rows | None) -> pd.DataFrame:
    import pandas as pd

    if inputs is None:
        return pd.DataFrame({"n": [EXAMPLES]})
    columns = {name: task.inputs[name].encode(column) for name, column in inputs.items()}
    return pd.DataFrame({"n": [1] * len(inputs), **columns})
