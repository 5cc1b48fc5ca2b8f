"""All artifacts of a store in another place: copied with MLflow's own clients, and compared by sha256."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ganops.errors import TrackingError
from ganops.file_digest import file_sha256
from ganops.tracking.location import redact


def copy_artifacts(source: str, target: str) -> dict[str, str]:
    """Copy every file below `source` to `target`; sha256 by path.

    source, target: folders, or addresses such as s3://BUCKET/PATH, for which the AWS variables give the rights. What is
    at the target already is written again, so that an interrupted copy is completed by a second one. Raises
    TrackingError where a file came out different or the target does not answer.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    if (folder := local_folder(source)) is not None and not folder.is_dir():
        return {}  # a store that no artifact was ever written to
    try:
        with tempfile.TemporaryDirectory() as fetched, tempfile.TemporaryDirectory() as again:
            local = folder or Path(get_artifact_repository(source).download_artifacts("", fetched))
            get_artifact_repository(_address(target)).log_artifacts(str(local))
            known, there = digests(local), local_folder(target)
            if there is None:
                there = Path(get_artifact_repository(target).download_artifacts("", again))
            copied = digests(there)
    except (MlflowException, OSError) as error:
        raise TrackingError(
            "artifacts cannot be copied",
            code="artifacts-not-copied",
            expected=f"a store of artifacts at {redact(target)}",
            found=redact(str(error)),
            action="correct the address or its access keys, then run the same command again",
        ) from error
    different = sorted(name for name, digest in known.items() if copied.get(name) != digest)
    if different:
        raise TrackingError(
            f"{len(different)} of {len(known)} artifacts came out different",
            code="artifacts-differ",
            found=", ".join(different[:3]),
            action="run the same command again",
        )
    return known


def digests(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder, by its path there."""
    return {
        file.relative_to(folder).as_posix(): file_sha256(file) for file in sorted(folder.rglob("*")) if file.is_file()
    }


def local_folder(address: str) -> Path | None:
    """The folder that an address names; None for one of another machine."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme else Path(address)


def _address(target: str) -> str:
    folder = local_folder(target)
    return target if folder is None else folder.resolve().as_uri()
