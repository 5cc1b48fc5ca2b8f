"""A whole store in another place: every row and file is what it was, and nothing is ever merged or half there."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import pytest
from postgres_server import serving_postgres

from ganops.errors import TrackingError
from ganops.registry.history import Entry, history, now, record
from ganops.registry.load import registered_folder
from ganops.registry.versions import CHALLENGER, CHAMPION, Versions
from ganops.tracking import migrate, records
from ganops.tracking.artifacts import copy_artifacts, digests
from ganops.tracking.migrate import CONTENTS, SERVED, Place, copy_store, restore_backup, write_backup
from ganops.tracking.store import Store, connect

Register = Callable[..., str]


@pytest.fixture
def home(tracking_home: Path, register_version: Register, packaged: tuple[Path, str]) -> Path:
    """A checkout with two versions, a champion with a history, curves, and its artifacts."""
    shutil.copytree(packaged[0].parent / "mlruns", tracking_home / "mlruns")
    register_version(fid=10.0)
    register_version(fid=9.0)
    store = connect()
    known = versions(store)
    known.set_alias(CHAMPION, "1")
    record(known, "20260101T000000", Entry(at=now(), event="promoted", version="1", former=None, reasons=("ü",)))
    (run,) = store.client.search_runs([store.experiment("ganops")])
    for step in range(3):
        store.client.log_metric(run.info.run_id, "loss", 1 / (step + 3), step=step)
    return tracking_home


def versions(store: Store) -> Versions:
    return Versions(store, "ganops")


def told(store: Store) -> object:
    """What people see of a store: runs with their curves, versions with their tags, aliases, the history."""
    client, known = store.client, versions(store)
    runs = client.search_runs([store.experiment("ganops")])
    return (
        [(run.info.run_id, run.info.status, run.data.params, run.data.tags) for run in runs],
        [(each.value, each.step, each.timestamp) for each in client.get_metric_history(runs[0].info.run_id, "loss")],
        [(each.version, each.tags, each.source) for each in client.search_model_versions("name = 'ganops'")],
        known.at(CHAMPION),
        known.at(CHALLENGER),
        history(known),
    )


def code_of(error: pytest.ExceptionInfo[TrackingError]) -> str:
    return error.value.code


def test_a_backup_that_was_moved_comes_back_whole(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, files = told(connect()), digests(registered_folder("models:/ganops/2"))
    contents = write_backup(Place.local(home), tmp_path / "backup")
    assert contents.rows["model_versions"] == 2
    assert contents.rows["metrics"] == 3
    (tmp_path / "backup").rename(tmp_path / "an older backup")
    other = tmp_path / "other"
    (other / ".dvc").mkdir(parents=True)
    assert restore_backup(tmp_path / "an older backup", Place.local(other)).rows == contents.rows
    shutil.rmtree(home / "mlruns")
    monkeypatch.chdir(other)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)  # MLflow sets it, for child processes
    assert told(connect()) == before
    folder = registered_folder("models:/ganops/2")
    assert folder.is_relative_to(other)
    assert digests(folder) == files
    refuses(tmp_path / "an older backup", home, other)
    assert told(connect()) == before


def refuses(backup: Path, home: Path, other: Path) -> None:
    """Nothing is overwritten or merged, and a backup that is not what was written does not come back."""
    with pytest.raises(TrackingError) as error:
        write_backup(Place.local(home), backup)
    assert code_of(error) == "backup-exists"
    with pytest.raises(TrackingError) as error:
        restore_backup(backup, Place.local(other))
    assert code_of(error) == "target-not-empty"
    model = next(file for file in backup.rglob("*.safetensors"))
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    with pytest.raises(TrackingError) as error:
        restore_backup(backup, Place.local(other))
    assert code_of(error) == "backup-altered"
    assert model.name in error.value.found
    for content in ("[]", '{"artifacts": []}', '{"artif', ""):
        (backup / CONTENTS).write_text(content)
        with pytest.raises(TrackingError) as error:
            restore_backup(backup, Place.local(other))
        assert code_of(error) == "not-a-backup"
    (backup / CONTENTS).unlink()
    with pytest.raises(TrackingError) as error:
        restore_backup(backup, Place.local(other))
    assert code_of(error) == "not-a-backup"


def test_damage_in_the_records_names_their_file_and_an_interruption_leaves_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganops.tracking.migrate.copy_artifacts", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_backup(Place.local(home), tmp_path / "backup")
    with closing(sqlite3.connect(home / "mlflow.db")) as records:
        (root,) = records.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tags'").fetchone()
        (size,) = records.execute("PRAGMA page_size").fetchone()
    content = bytearray((home / "mlflow.db").read_bytes())
    content[(root - 1) * size : root * size] = b"\xaa" * size
    (home / "mlflow.db").write_bytes(content)
    with pytest.raises(TrackingError) as error:
        write_backup(Place.local(home), tmp_path / "backup")
    assert (code_of(error), str(home / "mlflow.db") in error.value.action) == ("store-damaged", True)
    assert list(tmp_path.glob("backup*")) == []


def test_a_database_that_does_not_answer_is_an_error_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    silent = Place("postgresql://nobody@127.0.0.1:1/none", str(tmp_path / "served"), SERVED)
    with pytest.raises(TrackingError) as error:
        copy_store(Place.local(home), silent)
    assert code_of(error) == "store-unusable"
    assert not (tmp_path / "served").exists(), "known before the first artifact is copied"
    with pytest.raises(TrackingError) as error:
        write_backup(silent, tmp_path / "backup")
    assert code_of(error) == "store-unusable"
    assert list(tmp_path.glob("backup*")) == [], "nothing that the next call would stumble over"


def test_a_run_at_work_is_waited_for(home: Path, tmp_path: Path) -> None:
    store = connect()
    store.client.create_run(store.experiment("ganops"))
    with pytest.raises(TrackingError) as error:
        write_backup(Place.local(home), tmp_path / "backup")
    assert code_of(error) == "runs-open"
    assert not (tmp_path / "backup").exists()


def test_a_row_that_came_out_different_leaves_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, answers = Place.local(tmp_path / "other"), count()
    (tmp_path / "other").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(records, "_digest", lambda rows: (1, next(answers)))
        with pytest.raises(TrackingError) as error:
            copy_store(Place.local(home), target)
    assert code_of(error) == "copy-differs"
    assert copy_store(Place.local(home), target).rows["runs"] == 1, "the target was still empty"


def test_what_is_recorded_while_artifacts_are_copied_is_not_kept_without_them(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = connect()

    def during_a_run(source: str, target: str) -> dict[str, str]:
        copied = copy_artifacts(source, target)
        run = store.client.create_run(store.experiment("ganops")).info.run_id
        store.client.log_text(run, "late", "late.txt")
        store.client.set_terminated(run)
        return copied

    monkeypatch.setattr(migrate, "copy_artifacts", during_a_run)
    with pytest.raises(TrackingError) as error:
        write_backup(Place.local(home), tmp_path / "backup")
    assert code_of(error) == "copy-differs"
    assert not (tmp_path / "backup").exists()


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with serving_postgres() as address:
        yield address


@pytest.mark.slow
def test_postgresql_holds_the_same_and_numbers_on(home: Path, tmp_path: Path, postgres: str) -> None:
    before = told(connect())
    served = tmp_path / "served"
    copy_store(Place.local(home), Place(postgres, str(served), SERVED))
    there = connect(postgres)
    assert told(there) == before
    assert digests(served) == digests(home / "mlruns")
    (run,) = there.client.search_runs([there.experiment("ganops")])
    assert run.info.artifact_uri == f"{SERVED}/ganops/{run.info.run_id}/artifacts"
    known = {each.experiment_id for each in there.client.search_experiments()}
    assert there.client.create_experiment("another") not in known
    write_backup(Place(postgres, str(served), SERVED), tmp_path / "back")
