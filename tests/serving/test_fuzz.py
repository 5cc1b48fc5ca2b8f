"""What the schema allows and what it does not, sent by schemathesis: no 5xx, and answers of the promised form."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from running_service import Running

EXAMPLES = 20  # of each kind for each route
KINDS = {mode.value: mode for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)}


@pytest.mark.parametrize("kind", KINDS)
def test_no_request_makes_the_service_fail(running: Running, kind: str) -> None:
    schema = schemathesis.openapi.from_url(f"{running.address}/openapi.json")
    asked = []
    for operation in (found.ok() for found in schema.get_all_operations()):
        if kind == "negative" and not (operation.body or operation.query):
            continue  # nothing about it can be wrong

        @seed(7)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=KINDS[kind]))
        def ask(case: schemathesis.Case) -> None:
            asked.append(case.call_and_validate())

        ask()
    assert len(asked) >= EXAMPLES
