"""A registered model as a game again, for the code that runs now."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from ganops.errors import RegistryError
from ganops.games.game import Game
from ganops.games.saved import load_game
from ganops.tracking.outbox import first_line

ADDRESS = re.compile(r"models:/([^/@]+)(?:@([^/@]+)|/(\d+))")


def registered_folder(uri: str) -> Path:
    """The local model folder of a registered model, fetched where it lies elsewhere; `uri` as in models:/name@alias.

    Raises RegistryError when there is no such version or its files are gone.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        package = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
        flavor = mlflow.models.Model.load(package).flavors["python_function"]
        folder: Path = package / flavor["artifacts"]["model"]["path"]
    except (MlflowException, OSError) as error:
        raise RegistryError(
            f"{uri} cannot be loaded",
            found=first_line(error),
            action="`ganops history` and the Models page of `mlflow ui` say which versions there are",
        ) from error
    except KeyError as error:
        raise RegistryError(f"{uri} was not made by ganops", found=f"no {error} in its MLmodel file") from error
    return folder


def pinned(uri: str) -> str:
    """The version that `uri` names today, as models:/NAME/VERSION; an alias may name another tomorrow.

    Raises RegistryError when the address is of another form, or names no version.
    """
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    found = ADDRESS.fullmatch(uri)
    if found is None:
        raise RegistryError(f"{uri} is no address of a model", expected="models:/NAME@ALIAS or models:/NAME/VERSION")
    name, alias, version = found.groups()
    try:
        client = MlflowClient()
        known = client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, version)
    except MlflowException as error:
        raise RegistryError(
            f"there is no model {uri}",
            found=first_line(error),
            action="train and promote one first (`make run`), or name a version or a model folder that is there",
        ) from error
    return f"models:/{name}/{known.version}"


def load_registered_game(uri: str, device: str | torch.device = "cpu") -> Game:
    """The game of a registered model, in eval mode on `device`; raises as `registered_folder` and `load_game` do."""
    return load_game(registered_folder(uri), device)
