"""Each deployment of prefect.yaml names a flow that takes its parameters."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect import Flow
from prefect.flows import load_flow_from_entrypoint

from ganops.settings import read_yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = {each["name"]: each for each in read_yaml(ROOT / "prefect.yaml")["deployments"]}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_flow_takes_the_parameters(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(DEPLOYMENTS[name]["entrypoint"])
    assert isinstance(flow, Flow)
    parameters = DEPLOYMENTS[name].get("parameters", {})
    missing = set(flow.parameters.required) - set(parameters)
    # Those of `stage` are given by `make spread`, for each recipe.
    assert not missing or name == "stage"
    assert set(parameters) <= set(flow.parameters.properties)
    if not missing:
        flow.validate_parameters(parameters)
