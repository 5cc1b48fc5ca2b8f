"""A registration killed at any point: the next command finds a sound registry, and registering again completes it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow
import pytest
from small_model import register_small, small_params

from ganops.errors import RegistryError
from ganops.registry import promotion, sweep
from ganops.registry.load import problem_with
from ganops.registry.promotion import promote, rollback
from ganops.registry.versions import CHALLENGER, CHAMPION, LINEAGE, Versions
from ganops.tracking.store import connect

PARAMS = small_params()
CHANGES = ("create_", "_create_", "set_", "update_", "delete_", "finalize_", "log_")


class Killed(BaseException):
    """Stands for SIGKILL: nothing in between catches it."""


class Death:
    """Ends every change of the store, from the n-th of the main thread on."""

    def __init__(self, after: int, patch: pytest.MonkeyPatch) -> None:
        self.left = after
        self._inside = threading.local()
        for name in dir(mlflow.MlflowClient):
            if name.startswith(CHANGES):
                patch.setattr(mlflow.MlflowClient, name, self._mortal(getattr(mlflow.MlflowClient, name)))

    def _mortal(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if getattr(self._inside, "call", False):  # one method of the client calls another: one change
                return method(*arguments, **named)
            if self.left == 0:
                raise Killed
            self.left -= threading.current_thread() is threading.main_thread()
            self._inside.call = True
            try:
                return method(*arguments, **named)
            finally:
                self._inside.call = False

        return call


def versions() -> Versions:
    return Versions(connect(), "ganops")


def check(home: Path) -> None:
    """Register again, and look: one version, complete, the challenger; no model without a version."""
    register_small(home, seed=1, fid=9.0)
    registry = versions()
    found = registry.store.client.search_model_versions("name = 'ganops'")
    assert sorted(int(version.version) for version in found) == [1, 2]
    assert len({version.tags[LINEAGE] for version in found}) == 2
    assert all(version.description for version in found)
    assert registry.at(CHALLENGER) == "2"
    assert problem_with("models:/ganops/2") == ""
    experiment = registry.store.client.get_experiment_by_name("ganops").experiment_id
    models = registry.store.client.search_logged_models([experiment])
    assert {f"models:/{model.model_id}" for model in models} == {version.source for version in found}


def copy(source: Path, target: Path) -> None:
    """Copy a database into one that is open."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.mark.slow
@pytest.mark.usefixtures("short_source")
def test_every_point_and_then_promote_or_rollback(tracking_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "smoke_test", problem_with)  # the real one starts a process of seconds
    monkeypatch.setattr(sweep, "has_died", lambda tags, *_: True)  # that process is this one here
    register_small(tracking_home, fid=10.0)
    promote(PARAMS)
    before, database = tracking_home / "before.db", tracking_home / "mlflow.db"
    copy(database, before)
    change, died = 0, True  # the two commands take turns, since a registration takes seconds; `make soak` tries both
    while died:
        copy(before, database)
        with pytest.MonkeyPatch.context() as patch:
            Death(change, patch)
            died = False
            try:
                register_small(tracking_home, seed=1, fid=9.0)
            except Killed:
                died = True
        while mlflow.active_run():
            mlflow.end_run()
        assert versions().at(CHAMPION) == "1"
        if change % 2:
            assert promote(PARAMS).version in ("1", "2")
        else:
            with pytest.raises(RegistryError) as error:
                rollback(PARAMS)
            assert error.value.code == "no-previous-champion"
        check(tracking_home)
        change += 1
    assert change > 12, "changes that a registration makes"
