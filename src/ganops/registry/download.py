"""The files of a logged or registered model as a local folder.

MLflow itself makes a new folder for each download and never removes one, which `ganops verify` and a service that tries
a version again each minute would fill a disk with.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

_COPIES: dict[str, Path] = {}  # the latest copy of each address


def download(uri: str) -> Path:
    """The folder of a model: where it lies on this machine, else a copy, which lasts until the next one of the same
    address or the end of this process. Raises what MLflow raises.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
    from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository

    repository = underlying = get_artifact_repository(uri)
    while isinstance(underlying, ModelsArtifactRepository):
        underlying = underlying.repo
    if isinstance(underlying, LocalArtifactRepository):
        return Path(repository.download_artifacts(""))
    copy = Path(tempfile.mkdtemp(dir=_folder().name))
    found = Path(repository.download_artifacts("", str(copy)))
    if former := _COPIES.get(uri):
        shutil.rmtree(former, ignore_errors=True)
    _COPIES[uri] = copy
    return found


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Removed when this process ends."""
    return tempfile.TemporaryDirectory(prefix="ganops-models-", ignore_cleanup_errors=True)
