"""Flow runs whose process was killed: Prefect shows them as at work until somebody says that they have ended."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, TaskRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import FlowRunContext
from prefect.states import Cancelled, Crashed

from ganops.tracking.process import BOOT, CHECKOUT, HOST, NAMESPACE, NETWORK, PID, STARTED, has_died, process_tags

AT_WORK = {"state": {"type": {"any_": [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]}}}
WORKER = "prefect.worker.name"  # the label in which Prefect keeps which worker a run was given to
IDENTITY = (HOST, BOOT, NAMESPACE, NETWORK, PID, STARTED)  # of a worker: its name; none of the values has a space
GRACE = timedelta(seconds=60)  # as grace_period_seconds in prefect.yaml
ENGINE = "prefect.engine"  # what a worker of a process pool starts


def end_dead_flow_runs() -> list[str]:
    """End the flow runs, and their tasks, whose process on this machine was killed; a sentence for each.

    One that was being cancelled is Cancelled, any other has Crashed: it gives back its slot of the deployment's limit.
    In a flow it also notes which process runs the flow.
    """
    said = []
    with get_client(sync_client=True) as client:
        this = FlowRunContext.get()
        if this is not None and this.flow_run is not None:
            client.update_flow_run_labels(this.flow_run.id, dict(process_tags()))
        for run in client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(AT_WORK)):
            if _has_died(run):
                said.append(_end(client, run))
    return said


def worker_name() -> str:
    """The name of a worker that is this process, or what it becomes by exec; a run that it was given carries the name.

    Between a worker's taking a run and the first line of its flow nothing else says which process it belongs to.
    """
    tags = process_tags()
    return " ".join(tags[name] for name in IDENTITY)


def _has_died(run: FlowRun) -> bool:
    labels = {name: str(value) for name, value in run.labels.items()}
    if PID in labels:
        return has_died(labels)
    if WORKER not in labels:  # its worker was killed at once, before the label; the deployment waits no longer either
        waits = run.state_type == StateType.PENDING and run.deployment_id is not None
        return waits and run.state is not None and datetime.now(UTC) - run.state.timestamp > GRACE
    values = labels[WORKER].split(" ")
    if len(values) != len(IDENTITY):  # a worker that was started without `make worker`
        return False
    worker = {**dict(zip(IDENTITY, values, strict=True)), CHECKOUT: process_tags()[CHECKOUT]}
    return has_died(worker) and not _is_starting(run.infrastructure_pid)


def _is_starting(pid: str | None) -> bool:
    """Whether the process that a worker started for a run lives; it outlives a killed worker."""
    if pid is not None and pid.isdigit():
        with suppress(psutil.Error):
            return ENGINE in psutil.Process(int(pid)).cmdline()
    return False


def _end(client: SyncPrefectClient, run: FlowRun) -> str:
    cancelled = run.state_type == StateType.CANCELLING
    ended: State[Any] = (Cancelled if cancelled else Crashed)(message="its process was killed")
    own = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
    for task in client.read_task_runs(flow_run_filter=own, task_run_filter=TaskRunFilter.model_validate(AT_WORK)):
        client.set_task_run_state(task.id, ended, force=True)
    client.set_flow_run_state(run.id, ended, force=True)
    return f"flow run {run.name} of a killed process {'is cancelled' if cancelled else 'has crashed'}"
