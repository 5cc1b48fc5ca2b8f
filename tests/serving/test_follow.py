"""The service follows its alias without a restart; a version that does not work leaves the old one in service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from running_service import Running
from service import wait_until
from small_model import save_small_model

from ganops.errors import RegistryError
from ganops.registry.load import registered
from ganops.registry.versions import CHALLENGER, CHAMPION, Versions
from ganops.serving import follow
from ganops.serving.served import Served, load_served
from ganops.tracking.store import connect


@pytest.fixture
def versions(register_version: Callable[..., str]) -> Versions:
    """A registry with version 1 as champion and challenger."""
    register_version(fid=10.0)
    found = Versions(connect(), "ganops")
    found.set_alias(CHAMPION, "1")
    return found


def ready(running: Running) -> dict[str, object]:
    answer: dict[str, object] = running.client.get("/ready").json()
    return answer


def served(running: Running) -> str:
    return running.generate().headers["x-ganops-model"]


def test_it_follows_the_alias_and_shows_the_challenger_beside(
    versions: Versions, register_version: Callable[..., str], start: Callable[..., Running]
) -> None:
    running = start("models:/ganops@champion")
    assert ready(running) == {"ready": True, "models": {"champion": "ganops/1"}, "problems": {}}
    description = running.client.get("/model").json()
    assert (description["alias"], description["model"], description["recipe"]) == ("champion", "ganops/1", "tiny")
    assert description["lineage"]["metric"] == "fid"
    second = register_version(fid=9.0)
    wait_until(lambda: ready(running)["models"] == {"champion": "ganops/1", "challenger": f"ganops/{second}"}, 30)
    assert running.generate(model="challenger").headers["x-ganops-model"] == "ganops/2"
    versions.set_alias(CHAMPION, second)
    wait_until(lambda: served(running) == "ganops/2", 30)
    assert ready(running)["models"] == {"champion": "ganops/2"}
    assert 'ganops_model{alias="champion",model="ganops/2"} 1.0' in running.client.get("/metrics").text


def test_an_altered_version_leaves_the_old_one_in_service(
    versions: Versions, register_version: Callable[..., str], start: Callable[..., Running]
) -> None:
    running = start("models:/ganops@champion", retry_seconds=0.0)
    second = register_version(fid=9.0)
    weights = next(registered(f"models:/ganops/{second}").package.rglob("generator.safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(content[:-4] + b"\0\0\0\0")
    try:
        versions.set_alias(CHAMPION, second)
        wait_until(lambda: bool(ready(running)["problems"]), 30)
        state = ready(running)
        assert state["ready"] is True
        assert "were altered" in json.dumps(state["problems"])
        assert served(running) == "ganops/1"
        assert running.metric("ganops_failed_loads_total") >= 1
    finally:
        weights.write_bytes(content)
    wait_until(lambda: served(running) == "ganops/2", 30)
    assert ready(running)["problems"] == {}


def test_requests_at_hand_are_answered_by_the_version_that_began_them(
    versions: Versions, register_version: Callable[..., str], start: Callable[..., Running]
) -> None:
    running = start("models:/ganops@champion")
    versions.set_alias(CHAMPION, register_version(fid=9.0))
    names = []

    def all_swapped() -> bool:
        answers = [running.generate(n=200) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}
        names.extend(answer.json()["model"] for answer in answers)
        return names[-1] == "ganops/2"

    wait_until(all_swapped, 30)
    assert names == sorted(names), "never back to the old one"


@pytest.mark.parametrize(("gain", "found"), [(0.0, "the same value everywhere"), (float("nan"), "not finite")])
def test_a_model_that_fails_its_test_is_not_served(
    start: Callable[..., Running], tmp_path: Path, gain: float, found: str
) -> None:
    with pytest.raises(RegistryError, match=found) as refused:
        start(save_small_model(tmp_path / "broken", gain=gain))
    assert refused.value.code == "smoke-test"


def test_without_a_version_the_service_does_not_start(tracking_home: Path, start: Callable[..., Running]) -> None:
    connect()
    with pytest.raises(RegistryError) as refused:
        start(f"models:/nothing@{CHALLENGER}")
    assert refused.value.code == "no-such-version"


def test_an_alias_that_is_taken_away_leaves_the_model_in_service(
    versions: Versions, start: Callable[..., Running]
) -> None:
    running = start("models:/ganops@champion")
    versions.set_alias(CHAMPION, None)
    wait_until(lambda: bool(ready(running)["problems"]), 30)
    assert served(running) == "ganops/1"
    versions.set_alias(CHAMPION, "1")
    wait_until(lambda: ready(running)["problems"] == {}, 30)


def test_a_registry_that_does_not_answer_leaves_the_challenger_in_service(
    versions: Versions, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start("models:/ganops@champion")
    wait_until(lambda: running.service.models.slots[CHALLENGER].served is not None, 30)

    def silent(*_: object) -> None:
        raise MlflowException("API request failed with status 503")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "get_model_version_by_alias", silent)
        wait_until(lambda: set(running.service.models.problems()) == {CHAMPION, CHALLENGER}, 30)
        assert running.generate(model=CHALLENGER).status_code == 200
    wait_until(lambda: ready(running)["problems"] == {}, 30)


def test_whatever_keeps_a_version_from_service_is_said_and_the_others_are_followed(
    versions: Versions,
    register_version: Callable[..., str],
    start: Callable[..., Running],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = start("models:/ganops@champion", retry_seconds=60.0)
    models = running.service.models

    def full(uri: str, *_: object) -> Served:
        if uri.endswith("/2"):
            raise OSError(28, "No space left on device")
        return load_served(uri, torch.device("cpu"), 16)

    monkeypatch.setattr(follow, "load_served", full)
    register_version(fid=9.0)
    wait_until(lambda: running.metric("ganops_failed_loads_total") == 1, 30)
    versions.set_alias(CHAMPION, "2")
    register_version(fid=8.0)
    wait_until(lambda: getattr(models.slots[CHALLENGER].served, "name", "") == "ganops/3", 30)
    assert "No space left" in models.problems()[CHAMPION]
    assert running.metric("ganops_failed_loads_total") == 2
    assert served(running) == "ganops/1"


def test_two_aliases_of_one_version_share_one_model(versions: Versions, start: Callable[..., Running]) -> None:
    slots = start("models:/ganops@champion").service.models.slots
    wait_until(lambda: slots[CHALLENGER].served is not None, 30)
    assert slots[CHALLENGER].served is slots[CHAMPION].served
