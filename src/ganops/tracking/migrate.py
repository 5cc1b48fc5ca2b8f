"""A whole store, records and artifacts, in another place: on a server, in a backup, or back from one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ganops.atomic import write_json
from ganops.errors import TrackingError
from ganops.tracking.artifacts import copy_artifacts, digests, local_folder
from ganops.tracking.database import is_database, prepare_database
from ganops.tracking.location import ARTIFACTS, DATABASE, SQLITE, redact, sqlite_path, store_lock
from ganops.tracking.moved import correct_artifact_paths
from ganops.tracking.records import copy_records, digest_records
from ganops.tracking.store import quieten, unusable

SERVED = "mlflow-artifacts:"  # what the records call the artifacts that an MLflow server hands out
CONTENTS = "contents.json"


@dataclass(frozen=True)
class Place:
    """Where a store is.

    database: its address, which may hold a password. artifacts: a folder or an address such as s3://BUCKET/PATH.
    called: how the records name `artifacts`: the same, or `mlflow-artifacts:` for those of a server.
    """

    database: str
    artifacts: str
    called: str

    @classmethod
    def local(cls, folder: Path) -> Place:
        """The SQLite file and the `mlruns` folder of a checkout or a backup."""
        artifacts = (folder.resolve() / ARTIFACTS).as_uri()
        return cls(f"{SQLITE}{folder.resolve() / DATABASE}", artifacts, artifacts)


@dataclass(frozen=True)
class Contents:
    """What was copied: rows by table, sha256 of artifacts by path."""

    rows: Mapping[str, int]
    artifacts: Mapping[str, str]

    def describe(self) -> str:
        """The counts that a person knows."""
        names = {"runs": "runs", "metrics": "metric values", "model_versions": "model versions"}
        counts = [f"{self.rows.get(table, 0):,} {words}" for table, words in names.items()]
        return ", ".join([*counts, f"{sum(self.rows.values()):,} rows in all", f"{len(self.artifacts):,} artifacts"])


def copy_store(source: Place, target: Place) -> Contents:
    """Copy the artifacts, then the records, which name them only when they are there; all is compared afterwards.

    What is recorded in between may have artifacts that were not copied: it is refused.
    Raises TrackingError as `copy_artifacts` and `copy_records` do, and where a database does not answer; the target
    then has no records, and the same command may be given again.
    """
    for place in (source, target):
        if not is_database(place.database):
            raise TrackingError(
                "records are copied between databases",
                code="not-a-database",
                expected="the address of the database behind the server, such as postgresql://USER@HOST/NAME",
                found=redact(place.database),
                action="give it on the machine of the server, or wherever the database can be reached",
            )
    _check_file(source)
    quieten()
    correct_artifact_paths(source.database)  # of a checkout or backup that was moved
    for place in (source, target):
        with _answering(place):
            prepare_database(place.database)

    def move(address: str) -> str:
        return _moved(address, source, target)

    with store_lock(source.database, "setup"), store_lock(source.database, "promotion"):
        with _answering(source):
            before = digest_records(source.database, move)
        with _answering(target):
            artifacts = copy_artifacts(source.artifacts, target.artifacts)
            rows = copy_records(source.database, target.database, move, before)
    return Contents(rows, artifacts)


def write_backup(source: Place, folder: Path) -> Contents:
    """Copy a store into the new folder `folder`, which appears when all of it is there and was compared."""
    if folder.exists():
        raise TrackingError(
            f"{folder} exists",
            code="backup-exists",
            expected="a new folder",
            action="name another one: a backup is never overwritten",
        )
    partial = folder.with_name(f"{folder.name}.partial")
    if partial.exists():
        raise TrackingError(
            f"{partial} is the rest of an interrupted backup", code="backup-interrupted", action=f"remove {partial}"
        )
    (partial / ARTIFACTS).mkdir(parents=True)
    final = Place.local(folder)
    target = Place(Place.local(partial).database, Place.local(partial).artifacts, final.called)
    try:
        contents = copy_store(source, target)
        write_json(partial / CONTENTS, {"rows": dict(contents.rows), "artifacts": dict(contents.artifacts)})
        partial.rename(folder)
    except BaseException:  # Ctrl-C and SIGTERM, too
        shutil.rmtree(partial)
        raise
    return contents


def restore_backup(folder: Path, target: Place) -> Contents:
    """Copy a backup into an empty store, after its files were compared with what was written; raises TrackingError."""
    try:
        known = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))["artifacts"]
        names = known.keys()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrackingError(
            f"{folder} is not a whole backup",
            code="not-a-backup",
            expected=f"a folder of `ganops backup` with {CONTENTS}",
            found=str(error),
        ) from error
    found = digests(folder / ARTIFACTS)
    if different := sorted(name for name in {*names, *found} if known.get(name) != found.get(name)):
        raise TrackingError(
            f"{len(different)} artifacts of the backup were altered since",
            code="backup-altered",
            found=", ".join(different[:3]),
            action="use another backup",
        )
    return copy_store(Place.local(folder), target)


@contextmanager
def _answering(place: Place) -> Generator[None]:
    """Raise TrackingError for a database that does not answer, or refuses."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise unusable(place.database, error) from error


def _check_file(place: Place) -> None:
    path = sqlite_path(place.database)
    if path is not None and not path.is_file():
        raise TrackingError(
            "there are no records to copy", code="no-records", expected=f"an MLflow database at {path}", found="no file"
        )


def _moved(address: str, source: Place, target: Place) -> str:
    """The address of an artifact in its new place; one outside of the source's artifacts stays."""
    folder = local_folder(source.called) if source.called != SERVED else None
    for former in (source.called, unquote(source.called), *([str(folder)] if folder else [])):
        if address == former or address.startswith(f"{former}/"):
            return target.called + address[len(former) :]
    return address
