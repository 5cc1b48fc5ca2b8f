"""Flow runs whose process was killed: Prefect shows them as running until somebody says that they have crashed."""

from __future__ import annotations

from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, TaskRunFilter
from prefect.client.schemas.objects import State, StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed

from ganops.tracking.process import has_died, process_tags

RUNNING = {"state": {"type": {"any_": [StateType.RUNNING]}}}


def end_dead_flow_runs() -> list[str]:
    """Call it in a flow: note which process runs it, and let those of killed processes of this checkout crash."""
    said = []
    with get_client(sync_client=True) as client:
        this = FlowRunContext.get()
        if this is not None and this.flow_run is not None:
            client.update_flow_run_labels(this.flow_run.id, dict(process_tags()))
        for run in client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(RUNNING)):
            if not has_died({name: str(value) for name, value in run.labels.items()}):
                continue
            crashed: State[Any] = Crashed(message="its process was killed")
            own = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
            for task in client.read_task_runs(
                flow_run_filter=own, task_run_filter=TaskRunFilter.model_validate(RUNNING)
            ):
                client.set_task_run_state(task.id, crashed, force=True)
            client.set_flow_run_state(run.id, crashed, force=True)
            said.append(f"flow run {run.name} of a killed process has crashed")
    return said
