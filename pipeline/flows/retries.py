"""Which failures of a task are worth another try."""

from __future__ import annotations

from typing import Any

from prefect import Task
from prefect.client.schemas import State, TaskRun

from pipeline.flows.reproduce import TransientError


def passes_by_itself(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a task failed for a reason that passes by itself; a mistake in settings or data does not."""
    return isinstance(state.result(raise_on_failure=False), TransientError)


RETRIED: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": [5, 30],
    "retry_condition_fn": passes_by_itself,
}
