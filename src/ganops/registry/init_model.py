"""The trained model that another training starts from: found once, and recorded with its content digest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ganops.errors import ModelError
from ganops.games.saved import DESCRIPTION, digest_of
from ganops.registry.load import pinned, registered_folder
from ganops.tracking.store import connect

SCHEME = "models:"


@dataclass(frozen=True)
class InitModel:
    """model: models:/NAME/VERSION or the folder's path; digest: sha256 of the folder's content."""

    model: str
    digest: str
    folder: Path

    def facts(self) -> dict[str, str]:
        """What training.json and the tags of a run record."""
        return {"model": self.model, "digest": self.digest}


def find_init_model(model: str) -> InitModel:
    """The model at an address of the registry (an alias is resolved to its version), or in a folder.

    Raises RegistryError or ModelError when it does not exist, TrackingError when the store does not answer.
    """
    if model.startswith(SCHEME):
        connect()
        model = pinned(model)
        folder = registered_folder(model)
    else:
        folder = Path(model)
        if not (folder / DESCRIPTION).is_file():
            raise ModelError(
                f"there is no model '{model}' to start from",
                code="no-such-model",
                expected=f"models:/NAME@ALIAS, models:/NAME/VERSION, or a folder with {DESCRIPTION}",
                action="train that model first, or correct init.model in the recipe",
            )
    return InitModel(model, digest_of(folder), folder)
