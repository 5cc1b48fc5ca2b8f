"""`ganops doctor` reports what is installed and what is lacking, and what to do about it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from small_model import small_params

from ganops.commands import doctor
from ganops.tracking.run import start_run
from ganops.tracking.store import connect

Run = Callable[..., Result]


def findings(check: str) -> list[doctor.Finding]:
    return list(getattr(doctor, check)())


def test_it_checks_everything_and_ends_with_0_where_nothing_is_lacking(run: Run) -> None:
    result = run("doctor")
    for what in ("Python", "torch", "GPU", "Inception weights", "disk", "DVC", "git", "Prefect", "tracking", "data"):
        assert any(line[9:].startswith(what) for line in result.output.splitlines()), what
    assert result.exit_code == 0


def test_a_tracking_server_that_is_away_is_lacking(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr(doctor, "CHECKS", (doctor.tracking,))
    result = run("doctor")
    assert result.exit_code == 1
    assert "LACKING  tracking" in result.output
    assert "to do: " in result.output


def test_damaged_settings_are_lacking(run: Run) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("source:", "sorce:"))
    (finding,) = findings("data")
    assert finding.state == "lacking"
    assert "data.source" in finding.found


CONFLICT = "<<<<<<< HEAD\nseed: 1\n=======\nseed: 2\n>>>>>>> theirs\n"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("params.yaml", CONFLICT),
        ("pipeline/recipes/tiny.yaml", CONFLICT),
        ("pipeline/recipes/tiny.yaml", "summary: half a recipe\n"),
        ("pipeline/recipes/paper/tiny.yaml", CONFLICT),
        ("pipeline/resolved.yaml", CONFLICT),
        ("dvc.yaml", "stages:\n" + CONFLICT),
        ("dvc.lock", "schema: '2.0'\nstages:\n" + CONFLICT),
        ("dvc.lock", "schema: '2.0'\nstages:\n  prepare:\n    cmd: [unclosed\n"),
        ("dvc.lock", "schema: '2.0'\nstages: 7\n"),
        ("dvc.lock", ""),
        (".dvc/config", "[core]\n" + CONFLICT),
    ],
)
def test_a_file_that_cannot_be_read_is_lacking_and_named(run: Run, file: str, text: str) -> None:
    assert [finding.state for finding in findings("files")] == ["ok"]
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(text)
    (finding,) = findings("files")
    assert (finding.state, file in finding.found, bool(finding.action)) == ("lacking", True, True), finding


def test_a_database_with_a_broken_page_is_lacking(run: Run) -> None:
    with start_run("tiny", params=small_params(), system_metrics=False):
        pass
    assert findings("tracking")[0].state == "ok"
    with Path("mlflow.db").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096 * 20)
    (finding,) = findings("tracking")
    assert finding.state == "lacking"
    assert "restore" in finding.action


def test_data_sets_in_a_data_home_are_found(run: Run, shared_datasets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANOPS_DATA_HOME", str(shared_datasets))
    here = findings("data")[0].found.partition(";")[0].split(", ")
    assert {"digits", "mnist", "stacked-mnist"} <= set(here)


def test_the_archive_of_cifar10_is_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANOPS_DATA_HOME", str(tmp_path))
    assert "cifar10" not in findings("data")[0].found.split("looked in")[0]
    (tmp_path / "cifar-10-binary.tar.gz").touch()
    assert "cifar10" in findings("data")[0].found.split("looked in")[0]


def test_data_that_must_be_downloaded_or_do_not_exist_are_said_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganops.data.data_root.DEBIAN_HOME", Path("nowhere"))
    monkeypatch.delenv("GANOPS_DATA_HOME", raising=False)
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("source: digits", "source: fashion-mnist"))
    assert [finding.state for finding in findings("data")] == ["ok", "note"]
    stacked = text.replace("source: digits", "source: stacked-mnist").replace("channels: 1", "channels: 3")
    Path("params.yaml").write_text(stacked)
    assert findings("data")[1].found.startswith("stacked-mnist is not on this machine")
    own = text.replace("source: digits", "source: images").replace("path: null", "path: pictures")
    Path("params.yaml").write_text(own)
    assert [finding.state for finding in findings("data")] == ["ok", "lacking"]


def test_outside_a_repository_dvc_is_lacking_and_git_a_note(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [finding.state for finding in findings("dvc")] == ["lacking"]
    assert [finding.state for finding in findings("git")] == ["note"]


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, made the working directory."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    monkeypatch.chdir(folder)
    return folder


def test_a_detached_head_and_a_worktree_are_repositories(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings("git")[0].found.startswith("main at ")
    git(repository, "worktree", "add", "--quiet", "--detach", "../other")
    monkeypatch.chdir(repository.parent / "other")
    (finding,) = findings("git")
    assert (finding.state, finding.found.startswith("detached HEAD at ")) == ("ok", True)


def test_a_repository_of_another_user_is_lacking_and_why_is_said(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for path in (repository, repository / ".git"):
        os.chown(path, 65534, 65534)
    (finding,) = findings("git")
    assert (finding.state, "dubious ownership" in finding.found) == ("lacking", True)
    assert "safe.directory" in finding.action


def test_a_folder_that_cannot_be_written_is_named() -> None:
    assert doctor.why_not_writable(Path.cwd()) == ""
    assert doctor.why_not_writable(Path("/proc/self")).startswith("/proc/self: ")


def test_a_full_disk_is_noticed(run: Run, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "none", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this user cannot mount a small file system")
    try:
        assert doctor.why_not_writable(disk) == ""
        with pytest.raises(OSError, match="No space"):
            (disk / "file").write_bytes(bytes(1 << 20))
        assert doctor.why_not_writable(disk) == f"{disk}: No space left on device"
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_home_that_does_not_exist_is_a_note(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/there/is/no/home")
    assert [(finding.state, finding.what) for finding in findings("disk")][1:] == [("note", "home")]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/api", "foo"])
def test_a_prefect_server_that_is_away_is_lacking(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("PREFECT_API_URL", address)
    (finding,) = findings("prefect")
    assert finding.state == "lacking"
    assert finding.found.startswith(f"{address}: ")


def test_runs_of_killed_processes_are_ended_and_named(run: Run) -> None:
    with start_run("tiny", params=small_params(), system_metrics=False) as left:
        pass
    client = connect().client
    client.set_tag(left.run_id, "process.pid", "999999999")
    client.update_run(left.run_id, status="RUNNING")
    assert [left.run_id in finding.found for finding in findings("tracking")] == [False, True]
    assert client.get_run(left.run_id).info.status == "KILLED"


def test_damaged_inception_weights_are_noticed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert findings("inception")[0].state == "note"
    file = tmp_path / "hub" / "checkpoints" / "pt_inception-2015-12-05-6726825d.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half a download")
    assert findings("inception")[0].found.endswith("is damaged")
