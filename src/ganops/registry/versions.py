"""The versions of one registered model and the aliases that name them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganops.errors import RegistryError
from ganops.registry.gate import ModelRecord, ProtocolScores
from ganops.tracking.outbox import first_line
from ganops.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous-champion"
RECIPE = "recipe"
LINEAGE, PROTOCOL, UNHEALTHY, QUARANTINED, MEASURED = "lineage", "protocol", "sick", "quarantined", "measured."
ABOUT = (
    "Generators trained by ganops. champion: in use; challenger: the newest winner; previous-champion: the way back."
)


@dataclass(frozen=True)
class Versions:
    """One registered model; reading and writing raise RegistryError where the registry refuses."""

    store: Store
    model: str

    @property
    def uri(self) -> str:
        """The address by which `mlflow` and `ganops sample` know the model; a version or @alias is added to it."""
        return f"models:/{self.model}"

    def at(self, alias: str) -> str | None:
        """The version an alias names, None where there is no such alias or model yet."""
        from mlflow.exceptions import MlflowException

        try:
            return str(self.store.client.get_model_version_by_alias(self.model, alias).version)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise _refused(self.model, error) from error

    def set_alias(self, alias: str, version: str | None) -> None:
        """Let `alias` name `version`, in one step; None takes the alias away."""
        client = self.store.client
        with _readable(self.model):
            if version is None:
                client.delete_registered_model_alias(self.model, alias)
            else:
                _insert_or_update(client.set_registered_model_alias, self.model, alias, version)

    def tags(self) -> dict[str, str]:
        """The tags of the registered model itself; none where there is no such model yet."""
        from mlflow.exceptions import MlflowException

        try:
            return dict(self.store.client.get_registered_model(self.model).tags)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise _refused(self.model, error) from error

    def set_tag(self, key: str, value: str | None) -> None:
        """Set a tag of the registered model itself; None takes it away."""
        client = self.store.client
        with _readable(self.model):
            if value is None:
                client.delete_registered_model_tag(self.model, key)
            else:
                _insert_or_update(client.set_registered_model_tag, self.model, key, value)

    def get(self, version: str) -> ModelVersion:
        """One version; RegistryError where there is none."""
        with _readable(self.model):
            return self.store.client.get_model_version(self.model, version)

    def recipe(self, version: str) -> str:
        """The recipe a version was made by."""
        return str(self.get(version).tags.get(RECIPE, ""))

    def create(self, uri: str, tags: Mapping[str, str], description: str) -> str:
        """Register the MLflow model at `uri` as the next version, its tags there from the first moment."""
        import mlflow

        with _readable(self.model):
            made = mlflow.register_model(uri, self.model, tags=dict(tags))
            self.store.client.update_model_version(self.model, made.version, description)
            self.store.client.update_registered_model(self.model, ABOUT)
        return str(made.version)

    def delete(self, version: str) -> None:
        """Take a version out of the registry."""
        with _readable(self.model):
            self.store.client.delete_model_version(self.model, version)

    def mark(self, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of one version."""
        with _readable(self.model):
            for key, value in tags.items():
                _insert_or_update(self.store.client.set_model_version_tag, self.model, version, key, value)

    def with_lineage(self, lineage: str) -> list[str]:
        """Versions of this lineage, the oldest first."""
        with _readable(self.model):
            found = self.store.client.search_model_versions(f"name = '{self.model}' AND tags.{LINEAGE} = '{lineage}'")
        return sorted((str(version.version) for version in found), key=int)

    def record(self, version: str) -> ModelRecord:
        """What the gate needs to know of a version."""
        tags = self.get(version).tags
        measured = [ProtocolScores(**json.loads(value)) for key, value in tags.items() if key.startswith(MEASURED)]
        measured.sort(key=lambda scored: scored.digest != tags.get(PROTOCOL))
        return ModelRecord(version, tuple(measured), tags.get(UNHEALTHY) == "true", tags.get(QUARANTINED, ""))


def measured_tag(scores: Mapping[str, float], protocol: Mapping[str, Any]) -> dict[str, str]:
    """The tag that keeps scores with their protocol; scores under another protocol stand beside it."""
    digest = str(protocol.get("digest", ""))
    return {f"{MEASURED}{digest[:16]}": json.dumps({"scores": dict(scores), "protocol": dict(protocol)})}


def _insert_or_update(write: Callable[..., None], *arguments: str) -> None:
    """Write what may be new; a second try finds the row that another process inserted since MLflow looked for it."""
    from mlflow.exceptions import MlflowException

    try:
        write(*arguments)
    except MlflowException as error:
        if error.error_code != "BAD_REQUEST":  # what MLflow says of a key that is there already
            raise
        write(*arguments)


@contextmanager
def _readable(model: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise _refused(model, error) from error


def _refused(model: str, error: Exception) -> RegistryError:
    return RegistryError(
        f"the registry refuses what was asked of the model '{model}'",
        found=first_line(error),
        action="`mlflow ui` shows which versions there are; `dvc repro` registers one",
    )
