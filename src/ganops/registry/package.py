"""A model folder as an MLflow model: code, safetensors and source, no pickle; served by `mlflow models serve`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import ganops
from ganops.data.spec import DataSpec
from ganops.games.saved import load_description
from ganops.tracking.store import Store

# What the carried source imports when it makes images; tests/registry/test_package.py checks that nothing is missing.
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pillow", "pydantic", "pyyaml", "safetensors", "torch")
SERVED_MODEL = Path(__file__).with_name("served_model.py")
MODEL_NAME = "model"


def log_package(store: Store, run_id: str, folder: Path, card: Path) -> str:
    """Log the model folder, its card and the ganops source as an MLflow model of a run; its address.

    card: a folder that travels with the model.
    """
    import mlflow
    import pandas as pd

    description = load_description(folder)
    shape, classes = description.spec.shape, description.spec.classes
    mlflow.set_tracking_uri(store.uri)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name=MODEL_NAME,
            python_model=str(SERVED_MODEL),
            artifacts={"model": str(folder), "card": str(card)},
            code_paths=[str(Path(ganops.__file__).parent)],
            signature=_signature(description.spec),
            input_example=(pd.DataFrame({"n": [2]}), {"seed": 0}),
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
            metadata={
                "recipe": description.name,
                "image_shape": shape,
                "classes": classes,
                "pixels": "float" if description.spec.of_vectors else "0..255, uint8",
            },
        )
    return str(logged.model_uri)


def _signature(spec: DataSpec) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array

    label = ColSpec(DataType.string, "label", required=False)
    picture = [ColSpec(DataType.string, "png"), label, ColSpec(DataType.long, "image_size")]
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.long, "n"), label]),
        outputs=Schema([ColSpec(Array(DataType.double), "values"), label] if spec.of_vectors else picture),
        params=ParamSchema([ParamSpec("seed", DataType.long, 0)]),
    )
