"""The name of a registered model: it belongs to one data set and one task."""

from __future__ import annotations

import re

from ganops.data.manifest import Manifest
from ganops.errors import RegistryError
from ganops.params import AUTO, Params

LONGEST = 60


def model_name(manifest: Manifest, task: str) -> str:
    """What `tracking.model: auto` stands for: ganops-<data set>-<task>, of characters that MLflow and URLs accept."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{manifest.name}-{task}".lower()).strip("-")
    return f"ganops-{words}"[:LONGEST].rstrip("-")


def data_family(manifest: Manifest) -> str:
    """The data set and its fields in words: models compare only where this is equal.

    It stays the same when rows are added to the data, so that a retrained model compares with its predecessor.
    """
    fields = "; ".join(f"{name}: {field.description}" for name, field in manifest.spec.fields.items())
    return f"{manifest.name} ({fields})"


def registered_name(params: Params) -> str:
    """The registered model that params.yaml names; raises RegistryError while it is `auto` and nothing is resolved."""
    if params.tracking.model == AUTO:
        raise RegistryError(
            "the name of the registered model is not known yet",
            code="model-name-unresolved",
            expected="the stage `resolve` has named it after the data, or tracking.model in params.yaml names it",
            found=f"tracking.model: {AUTO}",
            action="run `dvc repro` first, or set tracking.model",
        )
    return params.tracking.model
