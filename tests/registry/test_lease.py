"""One promotion at a time: two clients of one registry that share nothing else, as on two machines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path

import pytest
from postgres_server import serving_postgres

from ganops.errors import RegistryError
from ganops.registry import lease
from ganops.registry.lease import DONE, promotion_turn
from ganops.registry.versions import CHAMPION, Versions
from ganops.tracking.migrate import SERVED, Place, copy_store
from ganops.tracking.store import Store, connect

Register = Callable[..., str]


@pytest.fixture(autouse=True)
def two_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lock of one machine helps; everything is faster."""
    monkeypatch.setattr(lease, "store_lock", lambda uri, purpose: nullcontext())
    monkeypatch.setattr(lease, "sqlite_path", lambda uri: None)
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(lease, "LEASE_SECONDS", 2.0)
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.02)


@pytest.fixture
def store(tracking_home: Path, register_version: Register) -> Store:
    """A registry with one version."""
    register_version(fid=10.0)
    return connect()


def versions(store: Store) -> Versions:
    """A client of its own."""
    import mlflow

    return Versions(Store(store.uri, mlflow.MlflowClient(store.uri, store.uri)), "ganops")


def turns(store: Store, clients: int, seconds: float) -> list[tuple[float, float]]:
    """When each of so many clients at once had its turn, from when to when, in order."""
    had = list[tuple[float, float]]()

    def take() -> None:
        with promotion_turn(versions(store)):
            began = time.monotonic()
            time.sleep(seconds)
            had.append((began, time.monotonic()))

    threads = [threading.Thread(target=take) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(had)


def never_two_at_once(had: list[tuple[float, float]]) -> bool:
    return all(first[1] <= second[0] for first, second in pairwise(had))


@contextmanager
def killed_owner(store: Store) -> Iterator[None]:
    """A client that has its turn, and shows no more beats."""
    queue = lease._Queue(versions(store), "1")
    queue.wait(1)
    yield


def test_two_clients_take_turns(store: Store) -> None:
    had = turns(store, clients=2, seconds=0.3)
    assert len(had) == 2
    assert never_two_at_once(had)


def test_a_turn_longer_than_the_lease_is_kept_by_beats(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.6)
    had = turns(store, clients=2, seconds=1.2)
    assert never_two_at_once(had)


def test_the_turn_of_a_killed_client_ends_after_the_lease(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with killed_owner(store):
        began = time.monotonic()
        with promotion_turn(versions(store)):
            assert time.monotonic() - began >= 2.0
    assert "waiting for another promotion: " in capsys.readouterr().err
    left = store.client.search_model_versions("name = 'ganops-queue'")
    assert [each.tags.get(DONE) for each in left] == ["true"], "the highest ticket stays, so that numbers go up"


def test_a_paused_client_changes_nothing_once_another_has_taken_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.2)
    monkeypatch.setattr(lease._Queue, "beat", lambda queue, ended: None)
    with promotion_turn(versions(store)) as paused:
        paused.set_tag("mine", "before")
        with promotion_turn(versions(store)) as other:
            other.set_alias(CHAMPION, "1")
        for change in (
            lambda: paused.set_alias(CHAMPION, None),
            lambda: paused.set_tag("mine", "after"),
            lambda: paused.mark("1", {"mine": "after"}),
        ):
            with pytest.raises(RegistryError) as error:
                change()
            assert error.value.code == "turn-lost"
    assert (versions(store).at(CHAMPION), versions(store).tags()["mine"]) == ("1", "before")


def test_who_waits_too_long_hears_for_whom(store: Store) -> None:
    with killed_owner(store), pytest.raises(RegistryError) as error, promotion_turn(versions(store), seconds=0.1):
        pass
    assert error.value.code == "no-turn"
    assert "has had the turn" in error.value.found


def test_an_error_ends_the_turn(store: Store) -> None:
    with pytest.raises(ValueError, match="in it"), promotion_turn(versions(store)):
        raise ValueError("in it")
    began = time.monotonic()
    with promotion_turn(versions(store)):
        assert time.monotonic() - began < 1.5


@pytest.mark.slow
def test_two_clients_of_one_postgresql_take_turns(store: Store, tmp_path: Path) -> None:
    with serving_postgres() as address:
        copy_store(Place.local(tmp_path / "home"), Place(address, str(tmp_path / "served"), SERVED))
        had = turns(connect(address), clients=3, seconds=0.2)
    assert len(had) == 3
    assert never_two_at_once(had)
