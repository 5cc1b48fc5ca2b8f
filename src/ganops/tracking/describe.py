"""Params, tags and data set logged when a run is created, in the form MLflow keeps."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganops.data.manifest import Manifest
from ganops.params import Params
from ganops.recipe import Recipe
from ganops.settings import flat
from ganops.tracking.lineage import lineage_tags
from ganops.tracking.location import redact
from ganops.tracking.names import tracked_name

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

LONGEST_PARAM = 6000
SHORT_DIGEST = 12


def params_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Nested mappings as dotted names and text; lists stay one value, as JSON, and None is `null`."""
    return {
        tracked_name(name): shortened(value if isinstance(value, str) else json.dumps(value))
        for name, value in flat(values)
    }


def shortened(text: str, longest: int = LONGEST_PARAM) -> str:
    """`text`; where it is too long for the store, its beginning and a note of the full length."""
    if len(text) <= longest:
        return text
    note = f" ... ({len(text)} characters in all)"
    return text[: longest - len(note)] + note


@dataclass(frozen=True)
class Description:
    """A new run: its name, experiment, params, tags, and the training data."""

    name: str
    experiment: str
    params: dict[str, str]
    tags: dict[str, str]
    manifest: Manifest | None = None


def describe_model(recipe_name: str, params: Params, recipe: Recipe | None, manifest: Manifest | None) -> Description:
    """The description of one trained model.

    Its params are what decides the result: recipe, seed and the sections on data and training. How it is evaluated may
    change later for the same run; that is part of the scores' protocol instead.
    """
    values = params.model_dump(mode="json", include={"seed", "data", "train"})
    tags = {"kind": "model", "recipe": recipe_name}
    if recipe is not None:
        values["recipe"] = recipe.model_dump(mode="json", exclude={"summary", "paper"})
        tags |= {"recipe.digest": recipe.digest(), "recipe.paper": recipe.paper, "recipe.summary": recipe.summary}
    if manifest is not None:
        tags |= {"data.source": manifest.source, "data.digest": manifest.digest}
    return Description(_named(recipe_name), params.tracking.experiment, params_of(values), tags | _origin(), manifest)


def describe_flow(name: str, params: Params) -> Description:
    """The description of the parent run of one pipeline execution: all of params.yaml."""
    values = params_of(params.model_dump(mode="json"))
    return Description(_named(name), params.tracking.experiment, values, {"kind": "flow"} | _origin())


def _origin() -> dict[str, str]:
    """Who started what, from which code and data; git's state under MLflow's own names, which its UI shows."""
    command = redact(" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]))
    tags = {"mlflow.user": user_name(), "mlflow.source.type": "LOCAL", "mlflow.source.name": shortened(command)}
    for name, value in lineage_tags(Path.cwd(), of=("data/", "results/reference")).items():
        tags[f"mlflow.source.{name}" if name.startswith("git.") else name] = value
    return tags


def _named(name: str) -> str:
    """`name`, under that of DVC's experiment where there is one."""
    experiment = os.environ.get("DVC_EXP_NAME")
    return f"{experiment}/{name}" if experiment else name


def dataset_input(manifest: Manifest) -> DatasetInput:
    """The prepared data as an MLflow data set: named after their source, identified by the manifest's digest."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    fields = {name: field.description for name, field in manifest.spec.fields.items()}
    profile = {"counts": manifest.counts, "fields": fields, "classes": len(manifest.spec.classes)}
    dataset = Dataset(
        name=manifest.source,
        digest=manifest.digest[:SHORT_DIGEST],
        source_type="local",
        source=json.dumps({"uri": "data/prepared"}),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training"), InputTag("sha256", manifest.digest)])


def user_name() -> str:
    """The user who runs this process, by name where the machine knows one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return str(os.getuid())
