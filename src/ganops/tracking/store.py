"""The tracking store: reached within seconds or not at all, its database made and migrated once."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ganops.credentials import hide_credentials
from ganops.errors import TrackingError
from ganops.services import bypass_proxies_on_loopback, why_silent
from ganops.tracking.database import is_database, prepare_database
from ganops.tracking.location import (
    artifact_location,
    redact,
    repository_root,
    sqlite_path,
    store_lock,
    tracking_uri,
)
from ganops.tracking.moved import correct_artifact_paths
from ganops.tracking.outbox import first_line
from ganops.workspace import how_to_enter

if TYPE_CHECKING:
    from mlflow import MlflowClient

DAMAGED = ("database disk image is malformed", "file is not a database")  # in SQLite's own words
DENIED = ("error code 401", "error code 403", "PERMISSION_DENIED", "UNAUTHENTICATED")  # in MLflow's
# MLflow's defaults retry an unreachable server for some four minutes and phone home; a person's own settings win.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


@dataclass(frozen=True)
class Store:
    """The address of a tracking store, and a client for it.

    uri: absolute; a relative SQLite path has been resolved against the repository root. It may hold a password.
    """

    uri: str
    client: MlflowClient

    def experiment(self, name: str) -> str:
        """The id of the experiment `name`, made where it is missing; two processes at once get the same one."""
        from mlflow.exceptions import MlflowException

        found = self.client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self.client.create_experiment(name, artifact_location=artifact_location(self.uri, name)))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = self.client.get_experiment_by_name(name)
        if found is None or found.lifecycle_stage != "active":
            raise TrackingError(
                f"the experiment '{name}' was deleted",
                code="experiment-deleted",
                found=redact(self.uri),
                action="restore it with `mlflow experiments restore`, or set another tracking.experiment",
            )
        return str(found.experiment_id)


def connect(uri: str | None = None) -> Store:
    """Reach the tracking store, make or migrate its SQLite database where needed, and make it MLflow's default.

    The artifact addresses in the database of a moved checkout are corrected. Raises TrackingError within seconds when
    the server does not answer or the database cannot be used, and where no address is given outside of a checkout:
    nothing is made there.
    """
    quieten()
    bypass_proxies_on_loopback()
    hide_credentials()
    if uri is None:
        uri = tracking_uri()
        _check_place(uri)
    _check_reachable(uri)
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with store_lock(uri, "setup"):
            if is_database(uri):
                prepare_database(uri)
            correct_artifact_paths(uri)
            client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise unusable(uri, error) from error
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return Store(uri, client)


def quieten() -> None:
    """Let MLflow neither phone home, nor open pickles, nor wait for minutes; what a person has set stays."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for noisy in ("alembic.runtime.migration", "mlflow.system_metrics", "mlflow.pyfunc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it logs the traceback of what it raises


def unusable(uri: str, error: Exception) -> TrackingError:
    """The error for a store at `uri` that does not work: why, and what to do."""
    database, found = sqlite_path(uri), first_line(error)
    if database and any(words in found for words in DAMAGED):
        return damaged(database, found)
    if any(words in found for words in DENIED):
        return TrackingError(
            "the tracking store refuses this user",
            code="store-denied",
            expected=f"access to MLflow at {redact(uri)}",
            found=found,
            action="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            exit_code=os.EX_TEMPFAIL,  # a token may be renewed
        )
    action = (
        f"check that {database} is writable and the disk has room; `ganops doctor` looks at both"
        if database
        else "start that server, correct MLFLOW_TRACKING_URI, or unset it to keep the records in a local file"
    )
    return TrackingError(
        "the tracking store does not answer",
        code="store-unusable",
        expected=f"MLflow at {redact(uri)}",
        found=found,
        action=action,
        exit_code=os.EX_TEMPFAIL,  # trying again later may help
    )


def damaged(database: Path, found: str) -> TrackingError:
    """The error for a database whose content is broken."""
    return TrackingError(
        "the file with all records is damaged",
        code="store-damaged",
        expected=f"an SQLite database at {database}",
        found=found,
        action=f"move {database} away, then `ganops restore` a backup; without one, `sqlite3 {database} .recover` "
        "may save some. Models and scores in results/ are whole: `dvc repro --force --single-item register` "
        "registers the winner again",
    )


def _check_place(uri: str) -> None:
    """Raise TrackingError where the default database would be made in a folder that is not a checkout."""
    database, root = sqlite_path(uri), repository_root()
    if os.environ.get("MLFLOW_TRACKING_URI") or database is None or database.exists() or (root / ".dvc").is_dir():
        return
    raise TrackingError(
        "there are no records here",
        code="no-checkout",
        expected=f"a checkout with .dvc, or an MLflow database at {database}",
        found=f"neither in {root}",
        action=f"{how_to_enter(Path.cwd())}, or name the store in MLFLOW_TRACKING_URI",
    )


def _check_reachable(uri: str) -> None:
    """One request; MLflow itself would try for minutes before it reports a server that does not answer."""
    reason = why_silent(uri, "/health") if urlsplit(uri).scheme in ("http", "https") else ""
    if reason:
        raise unusable(uri, ConnectionError(reason))
