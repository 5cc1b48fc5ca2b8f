"""A stage on another machine is tried again where the machine was lost, and not where it failed for good."""

from __future__ import annotations

from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Crashed, Failed

from pipeline.flows import spread
from pipeline.flows.reproduce import StageError, TransientError

WORDS = "Flow run encountered an exception: "


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (Crashed(message="its process was killed"), TransientError),
        (Cancelled(), StageError),
        (Failed(message=f"{WORDS}TransientError: evaluate@dcgan failed: exited with -9"), TransientError),
        (Failed(message=f"{WORDS}StageError: evaluate@dcgan failed: a bug"), StageError),
    ],
)
def test_only_what_another_worker_can_mend_is_given_to_one(
    monkeypatch: pytest.MonkeyPatch, state: State[object], kind: type[StageError]
) -> None:
    run = FlowRun(flow_id=uuid4(), state=state)
    monkeypatch.setattr(spread, "run_deployment", lambda *_, **__: run)
    with pytest.raises(StageError) as caught:
        spread.remote.fn("evaluate@dcgan", "abc")
    assert (type(caught.value), caught.value.code) == (kind, "remote-stage-failed")
