"""`ganops doctor` reports what is installed and what is lacking, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ganops.commands import doctor

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


def test_damaged_inception_weights_are_noticed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert findings("inception")[0].state == "note"
    file = tmp_path / "hub" / "checkpoints" / "pt_inception-2015-12-05-6726825d.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half a download")
    assert findings("inception")[0].found.endswith("is damaged")
