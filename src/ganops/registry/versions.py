"""The versions of one registered model and the aliases that name them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganops.errors import EvaluationError, RegistryError
from ganops.evaluation.scores import Scores, load_scores
from ganops.registry.gate import ModelRecord
from ganops.tracking.outbox import FINAL
from ganops.tracking.store import Store, unusable

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous-champion"

# Tags of a version.
RECIPE, LINEAGE, CONTENT, PACKAGE = "recipe", "lineage", "content", "package"
PROTOCOL, MEASURED, MEAN, SEEDS = "protocol", "measured.", "mean", "seeds"
METRIC, DATA_FAMILY, TASK = "metric", "data.family", "task"
UNHEALTHY, QUARANTINED = "unhealthy", "quarantined"
ABOUT_REQUEST = FINAL | {"BAD_REQUEST", "RESOURCE_ALREADY_EXISTS", "INVALID_STATE"}  # MLflow's codes that blame it
ABOUT = (
    "Generators trained by ganops. champion: in use; challenger: the latest winner; previous-champion: the target of "
    "a rollback."
)


def _allowed() -> None:
    """Writing is allowed."""


@dataclass(frozen=True)
class Versions:
    """One registered model; reading and writing raise RegistryError where the registry refuses.

    before_write: called before each change; it raises where this process may not make one any more.
    """

    store: Store
    model: str
    before_write: Callable[[], None] = _allowed

    @property
    def uri(self) -> str:
        """The address of the model for `mlflow` and `ganops sample`; add a version or @alias."""
        return f"models:/{self.model}"

    def at(self, alias: str) -> str | None:
        """The version an alias names, None where the alias or the model does not exist."""
        found = _if_known(self.model, lambda: self.store.client.get_model_version_by_alias(self.model, alias))
        return None if found is None else str(found.version)

    def set_alias(self, alias: str, version: str | None) -> None:
        """Let `alias` name `version`, in one step; None removes the alias."""
        self.before_write()
        client = self.store.client
        with _readable(self.model):
            if version is None:
                client.delete_registered_model_alias(self.model, alias)
            else:
                _insert_or_update(client.set_registered_model_alias, self.model, alias, version)

    def tags(self) -> dict[str, str]:
        """The tags of the registered model itself; none where it does not exist."""
        from mlflow.exceptions import MlflowException

        try:
            return dict(self.store.client.get_registered_model(self.model).tags)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise _refused(self.model, error) from error

    def set_tag(self, key: str, value: str | None) -> None:
        """Set a tag of the registered model itself; None removes it."""
        self.before_write()
        client = self.store.client
        with _readable(self.model):
            if value is None:
                client.delete_registered_model_tag(self.model, key)
            else:
                _insert_or_update(client.set_registered_model_tag, self.model, key, value)

    def get(self, version: str) -> ModelVersion:
        """One version; RegistryError where it does not exist."""
        with _readable(self.model):
            return self.store.client.get_model_version(self.model, version)

    def find(self, version: str) -> ModelVersion | None:
        """One version, None where it does not exist (any more)."""
        return _if_known(self.model, lambda: self.store.client.get_model_version(self.model, version))

    def any(self) -> str | None:
        """One of the versions, None where there is none."""
        with _readable(self.model):
            found = self.store.client.search_model_versions(f"name = '{self.model}'", max_results=1)
        return str(found[0].version) if found else None

    def create(self, uri: str, tags: Mapping[str, str]) -> str:
        """Register the MLflow model at `uri` as the next version; it has its tags from the first moment."""
        import mlflow

        self.before_write()
        with _readable(self.model):
            return str(mlflow.register_model(uri, self.model, tags=dict(tags)).version)

    def describe(self, version: str, text: str) -> None:
        """Set the descriptions of a version and of the registered model."""
        self.before_write()
        with _readable(self.model):
            self.store.client.update_model_version(self.model, version, text)
            self.store.client.update_registered_model(self.model, ABOUT)

    def delete(self, version: str) -> None:
        """Remove a version from the registry."""
        self.before_write()
        with _readable(self.model):
            self.store.client.delete_model_version(self.model, version)

    def mark(self, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of one version."""
        self.before_write()
        with _readable(self.model):
            for key, value in tags.items():
                _insert_or_update(self.store.client.set_model_version_tag, self.model, version, key, value)

    def with_lineage(self, lineage: str) -> list[str]:
        """Versions of this lineage, the oldest first."""
        with _readable(self.model):
            found = self.store.client.search_model_versions(f"name = '{self.model}' AND tags.{LINEAGE} = '{lineage}'")
        return sorted((str(version.version) for version in found), key=int)

    def record(self, version: str) -> ModelRecord:
        """What the gate needs to know of a version. Scores that cannot be read count as not measured."""
        tags = self.get(version).tags
        measured = {key: scores for key, value in tags.items() if (scores := _measured(key, value)) is not None}
        own = measured_key(tags.get(PROTOCOL, ""))
        return ModelRecord(
            version,
            measured=tuple(measured[key] for key in sorted(measured, key=lambda key: key != own)),
            metric=tags.get(METRIC, ""),
            data=tags.get(DATA_FAMILY, ""),
            task=tags.get(TASK, ""),
            unhealthy=tags.get(UNHEALTHY) == "true",
            quarantined=tags.get(QUARANTINED, ""),
        )


def protocol_digest(scores: Scores) -> str:
    """sha256 of the whole protocol of some scores."""
    text = json.dumps(scores.protocol.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def measured_key(digest: str) -> str:
    """The tag that holds the scores under a protocol."""
    return f"{MEASURED}{digest[:16]}"


def measured_tag(scores: Scores) -> dict[str, str]:
    """The tag that holds scores with their protocol; scores under another protocol have another tag."""
    return {measured_key(protocol_digest(scores)): json.dumps(scores.dump())}


def _measured(key: str, value: str) -> Scores | None:
    if not key.startswith(MEASURED):
        return None
    try:
        return load_scores(json.loads(value), f"the tag {key}")
    except (ValueError, EvaluationError):  # edited by hand, or cut by a store
        return None


def _insert_or_update(write: Callable[..., None], *arguments: str) -> None:
    """Write what may be new; a second try finds the row that another process inserted since MLflow looked for it."""
    from mlflow.exceptions import MlflowException

    try:
        write(*arguments)
    except MlflowException as error:
        if error.error_code != "BAD_REQUEST":  # MLflow's code for a key that exists already
            raise
        write(*arguments)


def _if_known(model: str, ask: Callable[[], ModelVersion]) -> ModelVersion | None:
    """What `ask` returns; None where the registry does not have it."""
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as error:
        if error.error_code in FINAL:
            return None
        raise _refused(model, error) from error


@contextmanager
def _readable(model: str) -> Generator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise _refused(model, error) from error


def _refused(model: str, error: Any) -> RegistryError:
    """The error for a failed request: the version does not exist, the request is wrong, or the store has trouble."""
    import mlflow

    trouble = unusable(mlflow.get_registry_uri(), error)
    about_request = error.error_code in ABOUT_REQUEST
    return RegistryError(
        f"the registry refused a request for the model '{model}'",
        code="no-such-version" if error.error_code == "RESOURCE_DOES_NOT_EXIST" else "registry-refused",
        expected="" if about_request else trouble.expected,
        found=trouble.found,
        action="`mlflow ui` lists the versions; `dvc repro` registers one" if about_request else trouble.action,
        exit_code=1 if about_request else trouble.exit_code,
    )
