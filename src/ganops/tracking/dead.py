"""Runs whose process was killed: ended, and completed where the training had ended before."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ganops.errors import TrackingError
from ganops.tracking.location import store_lock
from ganops.tracking.process import HOST, has_died, process_tags
from ganops.tracking.replay import replay
from ganops.tracking.run import PATIENCE, mark_running, read_run_file
from ganops.tracking.store import Store, unusable
from ganops.tracking.tracked import INCOMPLETE, RESTORED, TrackedRun
from ganops.workspace import WORKSPACE

if TYPE_CHECKING:
    from mlflow.entities import Run

MOST = 1000  # runs looked at in one go


def end_dead_runs(store: Store, experiment: str, gone: Collection[str] = ()) -> list[str]:
    """End the runs that a killed process of this checkout has left open; a sentence for each.

    gone: names of other machines that will not return; the runs that they have left open are ended as well.
    A run whose training had ended gets the records that the store has missed, and is FINISHED; any other is KILLED.
    Raises TrackingError where the store does not answer.
    """
    from mlflow.exceptions import MlflowException

    try:
        with store_lock(store.uri, "sweep"):
            return [_end(store, run) for run in _left_open(store, experiment, gone)]
    except (MlflowException, OSError) as error:
        raise unusable(store.uri, error) from error


def _left_open(store: Store, experiment: str, gone: Collection[str]) -> list[Run]:
    """Runs of dead processes that are RUNNING, or that wait for records of a training that has ended."""
    known = store.client.get_experiment_by_name(experiment)
    if known is None:
        return []
    found = [
        run
        for host in {process_tags()[HOST], *gone}
        for which in ("attributes.status = 'RUNNING'", f"tags.`{INCOMPLETE}` LIKE 'incomplete%'")
        for run in store.client.search_runs(
            [known.experiment_id], f"{which} AND tags.`{HOST}` = {_quoted(host)}", max_results=MOST
        )
    ]
    dead = {run.info.run_id: run for run in found if has_died(run.data.tags, gone)}
    return [run for run in dead.values() if run.info.status == "RUNNING" or _has_results(run)]


def _quoted(text: str) -> str:
    """As a string of MLflow's search language, which has no escapes."""
    if "'" in text:
        raise TrackingError("no machine has such a name", code="unknown-machine", found=text)
    return f"'{text}'"


def _end(store: Store, run: Run) -> str:
    name = f"run {run.info.run_name} ({run.info.run_id})"
    if not _has_results(run):
        store.client.set_terminated(run.info.run_id, "KILLED")
        return f"{name} of a killed process is KILLED now"
    mark_running(store, run.info.run_id)
    tracked = TrackedRun(store, run)
    replay(tracked, WORKSPACE.trained(run.data.tags["recipe"]))
    missing = tracked.finish("FINISHED", PATIENCE)
    return f"{name} is {'still incomplete' if missing else 'complete and FINISHED now'}"


def _has_results(run: Run) -> bool:
    """Whether the results of this checkout are those of the run's training."""
    recipe = run.data.tags.get("recipe", "")
    try:
        named = read_run_file(WORKSPACE.run_file(recipe)).run_id
    except TrackingError:
        return False
    return named in (run.info.run_id, run.data.tags.get(RESTORED))
