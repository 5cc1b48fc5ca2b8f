"""A registered model as files or as a game, its content compared with what was registered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ganops.errors import RegistryError
from ganops.file_digest import file_sha256
from ganops.games.saved import digest_of
from ganops.registry.download import download
from ganops.registry.signature import check_signature
from ganops.registry.versions import CONTENT, PACKAGE
from ganops.tracking.outbox import FINAL, first_line
from ganops.tracking.store import unusable

AGAIN = "register the model again: dvc repro --force --single-item register"
PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".ckpt")
ADDRESS = re.compile(r"models:/([^/@]+)(?:@([^/@]+)|/(\d{1,18}))")


@dataclass(frozen=True)
class Registered:
    """A version of a registered model as files, complete and unaltered.

    uri: models:/NAME/VERSION. package: the folder of the MLflow model. folder: model.json and weights. card: the folder
    of the model card; None where the model has none.
    """

    uri: str
    name: str
    version: str
    tags: Mapping[str, str]
    package: Path
    folder: Path
    card: Path | None

    def example(self) -> list[dict[str, Any]]:
        """The request that travels with the model, one mapping per row; empty where it cannot be read."""
        import mlflow
        from mlflow.exceptions import MlflowException

        try:
            frame = mlflow.models.Model.load(self.package).load_input_example(str(self.package))
            records: list[dict[str, Any]] = frame.to_dict(orient="records")
        except (MlflowException, OSError, ValueError, AttributeError):
            return []
        return records


def registered_folder(uri: str, *, signed: bool = True) -> Path:
    """The local model folder (model.json and weights) of a registered model; raises as `registered` does."""
    return registered(uri, signed=signed).folder


def registered(uri: str, *, signed: bool = True) -> Registered:
    """The model at models:/NAME@ALIAS or models:/NAME/VERSION, its files downloaded where needed.

    signed: where a key is configured, the version must be signed; promotion alone, which signs, looks at unsigned ones.
    Raises RegistryError when the version does not exist, its files are missing or altered, or it is not signed, and
    TrackingError when the store does not answer, so that nothing is known of the files.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    name, version, tags = _resolve(uri)
    exact = f"models:/{name}/{version}"
    try:
        with _answering():
            package = download(exact)
        digest = package_digest(package)
        _compare(exact, package, tags.get(PACKAGE, ""), digest)
        if signed:
            check_signature(name, version, digest, tags)
        model = mlflow.models.Model.load(package)
        parts = model.flavors["python_function"]["artifacts"]
        folder = package / parts["model"]["path"]
        card = package / parts["card"]["path"] if "card" in parts else None
        content = tags.get(CONTENT) or str((model.metadata or {}).get(CONTENT, ""))
        _compare(exact, package, content, digest_of(folder))
    except (MlflowException, OSError, yaml.YAMLError) as error:
        raise RegistryError(
            f"the files of {exact} cannot be loaded",
            code="files-missing",
            found=first_line(error),
            action=AGAIN,
        ) from error
    except (KeyError, TypeError) as error:
        raise RegistryError(
            f"{exact} was not made by ganops", code="foreign-model", found=f"MLmodel without {error}"
        ) from error
    return Registered(exact, name, version, tags, package, folder, card)


def _compare(uri: str, package: Path, expected: str, found: str) -> None:
    if expected in ("", found):
        return
    pickles = pickles_in(package)
    raise RegistryError(
        f"the files of {uri} were altered",
        code="files-altered",
        expected=f"content digest {expected[:16]}",
        found=found[:16] + (f", and pickles: {', '.join(pickles)}" if pickles else ""),
        action=AGAIN,
    )


def package_digest(package: Path) -> str:
    """sha256 of all files of an MLflow model, but for those that loading it writes."""
    content = hashlib.sha256()
    for file in sorted(package.rglob("*")):
        name = file.relative_to(package)
        if file.is_file() and "__pycache__" not in name.parts and file.name != "registered_model_meta":
            content.update(str(name).encode())
            content.update(bytes.fromhex(file_sha256(file)))
    return content.hexdigest()


def pickles_in(package: Path) -> list[str]:
    """Files of an MLflow model that are pickles by their name, or that MLmodel names as one."""
    files = (file for file in package.rglob("*") if file.is_file())
    found = {str(file.relative_to(package)) for file in files if file.suffix in PICKLES}
    with suppress(OSError, yaml.YAMLError, KeyError, TypeError):  # a damaged MLmodel names nothing
        text = (package / "MLmodel").read_text(encoding="utf-8", errors="replace")
        found.add(str(yaml.safe_load(text)["flavors"]["python_function"]["python_model"]))
    return sorted(found)


def pinned(uri: str) -> str:
    """The version that `uri` names now, as models:/NAME/VERSION; an alias may name another one later.

    Raises RegistryError when the address has another form, or names no version; TrackingError when the store does not
    answer.
    """
    name, version, _ = _resolve(uri)
    return f"models:/{name}/{version}"


def _resolve(uri: str) -> tuple[str, str, dict[str, str]]:
    """Name, version and tags of the model at an address."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    found = ADDRESS.fullmatch(uri)
    if found is None:
        raise RegistryError(
            f"{uri} is not the address of a registered model",
            code="bad-address",
            expected="models:/NAME@ALIAS or models:/NAME/VERSION",
            found=uri,
        )
    name, alias, version = found.groups()
    try:
        client = MlflowClient()
        with _answering():
            known = client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, version)
    except MlflowException as error:
        raise RegistryError(
            f"there is no model {uri}",
            code="no-such-version",
            found=first_line(error),
            action="train and promote one first (`make run`), or name an existing version or model folder",
        ) from error
    return name, str(known.version), dict(known.tags)


@contextmanager
def _answering() -> Generator[None]:
    """Raise TrackingError where the store fails in another way than by not having what it is asked for."""
    import mlflow
    from mlflow.exceptions import MlflowException
    from requests import RequestException

    try:
        yield
    except MlflowException as error:
        if error.error_code in FINAL:
            raise
        raise unusable(mlflow.get_registry_uri(), error) from error
    except (ConnectionError, TimeoutError, RequestException) as error:
        raise unusable(mlflow.get_registry_uri(), error) from error


def problem_with(uri: str) -> str:
    """Why the files of a registered model cannot be used; empty when they are complete and unaltered.

    Raises TrackingError when the store does not answer.
    """
    try:
        registered_folder(uri, signed=False)
    except RegistryError as error:
        return error.in_short
    return ""
