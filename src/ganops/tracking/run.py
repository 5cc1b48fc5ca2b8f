"""One MLflow run from its first step to its last score, through kills, resumes and an unreachable server."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ganops.data.manifest import Manifest
from ganops.errors import GanopsError, TrackingError
from ganops.params import Params
from ganops.recipe import Recipe
from ganops.settings import Settings
from ganops.tracking.describe import Description, dataset_input, describe_flow, describe_model
from ganops.tracking.outbox import warn
from ganops.tracking.process import process_tags
from ganops.tracking.replay import replay
from ganops.tracking.store import Store, connect, unusable
from ganops.tracking.tracked import RESTORED, Status, TrackedRun
from ganops.workspace import WORKSPACE

if TYPE_CHECKING:
    from mlflow.entities import Run

PARENT_VARIABLE = "GANOPS_PARENT_RUN_ID"
PARAMS_PER_BATCH = 100
PATIENCE, HURRY = 60.0, 5.0  # seconds without progress after which the store is given up; HURRY: after a signal
SIGNALLED = 128  # exit codes above it: the work was ended by a signal


class RunFile(Settings):
    """results/runs/<recipe>.json: the MLflow run of this trained model."""

    run_id: str
    recipe: str


def read_run_file(path: Path) -> RunFile:
    """Read a run file; raises TrackingError when it is missing or damaged."""
    try:
        return RunFile.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise TrackingError(
            f"{path} does not name the MLflow run of a training",
            code="damaged-run-file",
            found=str(error),
            action="train the recipe again",
        ) from error


@contextmanager
def start_run(
    recipe_name: str,
    *,
    params: Params,
    recipe: Recipe | None = None,
    manifest: Manifest | None = None,
    parent: str | None = None,
    system_metrics: bool = True,
) -> Generator[TrackedRun]:
    """Open a new run of a model; it ends FINISHED, FAILED after an exception or KILLED after Ctrl-C or SIGTERM.

    parent: id of the run this one belongs to; by default what GANOPS_PARENT_RUN_ID names.
    Raises TrackingError when the store does not answer.
    """
    run = _create(connect(), describe_model(recipe_name, params, recipe, manifest), parent)
    with _open(run, system_metrics):
        yield run


@contextmanager
def flow_run(
    name: str, *, params: Params, tags: Mapping[str, str] | None = None, run_id: str | None = None
) -> Generator[TrackedRun]:
    """Open the parent run of one pipeline execution; its run_id goes to the stages as GANOPS_PARENT_RUN_ID.

    run_id: of the run to continue, where the store knows it.
    """
    store = connect()
    known = None if run_id is None else _find(store, run_id, params.tracking.experiment)
    run = known or _create(store, describe_flow(name, params), tags=tags)
    with _open(run, system_metrics=False):
        yield run


@contextmanager
def resume_run(
    run_file: Path,
    *,
    params: Params,
    recipe: Recipe | None = None,
    manifest: Manifest | None = None,
    system_metrics: bool = False,
) -> Generator[TrackedRun]:
    """Continue the run that `run_file` names.

    Where the store does not know it (a fresh clone, another server, a deleted run), a new run tagged `restored_from`
    takes its place, the same one each time. The run of a training that has ended gets the records that the store has
    missed, so it is FINISHED only when they are complete.
    Raises TrackingError when the store does not answer, when it does not take the records of a stage after the
    training, and when the run file is missing or damaged.
    """
    about = read_run_file(run_file)
    ended = run_file == WORKSPACE.run_file(about.recipe)  # written when a training has ended: its results are there
    store = connect()
    run = _find(store, about.run_id, params.tracking.experiment)
    if run is None:
        description = describe_model(about.recipe, params, recipe, manifest)
        run = _create(store, description, tags={RESTORED: about.run_id})
    with _open(run, system_metrics, required=ended):
        if ended and not run.complete:
            replay(run, WORKSPACE.trained(about.recipe))
        yield run


@contextmanager
def _open(run: TrackedRun, system_metrics: bool, required: bool = False) -> Generator[None]:
    """Watch and end a run. required: that the store does not take all records is an error."""
    monitor = None
    if system_metrics:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        monitor = SystemMetricsMonitor(run.run_id, resume_logging=True, tracking_uri=run.store.uri)
        monitor.start()
    status: Status = "KILLED"  # by whatever ends the process: Ctrl-C, SIGTERM, what Prefect raises for it
    try:
        yield
        status = "FINISHED"
    except Exception as error:
        status = "KILLED" if isinstance(error, GanopsError) and error.exit_code > SIGNALLED else "FAILED"
        raise
    finally:
        if monitor is not None:
            monitor.finish()
        missing = run.finish(status, {"KILLED": HURRY}.get(status, PATIENCE))
    if missing and required:
        raise unusable(run.store.uri, ConnectionError(f"it did not take {len(missing)} records"))


def _create(
    store: Store, description: Description, parent: str | None = None, tags: Mapping[str, str] | None = None
) -> TrackedRun:
    from mlflow.entities import Param
    from mlflow.exceptions import MlflowException

    parent = parent or os.environ.get(PARENT_VARIABLE)
    tags = description.tags | process_tags() | dict(tags or {})
    try:
        if parent is not None and _get(store, parent) is not None:
            tags["mlflow.parentRunId"] = parent
        elif parent is not None:
            warn(f"the tracking store does not know the parent run {parent}; the run has no parent")
        experiment = store.experiment(description.experiment)
        run = store.client.create_run(experiment, tags=tags, run_name=description.name)
        entries = [Param(name, value) for name, value in description.params.items()]
        for start in range(0, len(entries), PARAMS_PER_BATCH):
            store.client.log_batch(run.info.run_id, params=entries[start : start + PARAMS_PER_BATCH])
        if description.manifest is not None:
            store.client.log_inputs(run.info.run_id, datasets=[dataset_input(description.manifest)])
    except (MlflowException, OSError) as error:
        raise unusable(store.uri, error) from error
    return TrackedRun(store, run)


def _find(store: Store, run_id: str, experiment: str) -> TrackedRun | None:
    """The run itself, or the one that was made in its place before, set to RUNNING."""
    from mlflow.exceptions import MlflowException

    try:
        run = _get(store, run_id)
        if run is None:
            substitutes = store.client.search_runs(
                [store.experiment(experiment)],
                f"tags.{RESTORED} = '{run_id}'",
                max_results=1,
                order_by=["attributes.start_time ASC"],
            )
            if not substitutes:
                return None
            run = substitutes[0]
        tracked = TrackedRun(store, run)
        mark_running(store, tracked.run_id)
        return tracked
    except (MlflowException, OSError) as error:
        raise unusable(store.uri, error) from error


def mark_running(store: Store, run_id: str) -> None:
    """Say that this process keeps the run open, then that it is RUNNING."""
    from mlflow.entities import RunTag

    store.client.log_batch(run_id, tags=[RunTag(name, value) for name, value in process_tags().items()])
    store.client.update_run(run_id, status="RUNNING")


def _get(store: Store, run_id: str) -> Run | None:
    from mlflow.exceptions import MlflowException

    try:
        run = store.client.get_run(run_id)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return run if run.info.lifecycle_stage == "active" else None
