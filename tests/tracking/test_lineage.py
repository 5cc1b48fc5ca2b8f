"""A model's lineage: commit, dirtiness and DVC's hashes, as far as there are any."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ganops.tracking.lineage import dvc_hashes, git_state, lineage_tags

LOCK = """\
schema: '2.0'
stages:
  prepare:
    cmd: python -m pipeline.stages.prepare
    outs:
    - path: data/prepared
      hash: md5
      md5: 0123456789abcdef0123456789abcdef.dir
  train@dcgan:
    cmd: python -m pipeline.stages.train dcgan
    deps:
    - path: data/prepared
      md5: ffffffffffffffffffffffffffffffff.dir
    - path: pipeline/recipes/dcgan.yaml
      md5: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    outs:
    - path: results/train/dcgan
      md5: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.dir
    - path: results/plain
"""


def git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(variable, raising=False)
    git(tmp_path, "init", "-b", "work")
    (tmp_path / "file").write_text("first")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_git_state_names_the_commit_and_sees_changes_of_tracked_files_only(repository: Path) -> None:
    clean = git_state(repository)
    assert clean is not None
    assert clean.commit == git(repository, "rev-parse", "HEAD").strip()
    assert (clean.branch, clean.dirty) == ("work", False)
    (repository / "untracked").write_text("new")
    assert git_state(repository) == clean
    (repository / "file").write_text("second")
    changed = git_state(repository)
    assert changed is not None
    assert changed.dirty


def test_no_repository_no_commit_and_no_git_are_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_state(tmp_path) is None
    git(tmp_path, "init")
    assert git_state(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) is None


def test_dvc_hashes_are_those_of_the_outputs_where_a_path_is_both(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert dvc_hashes(tmp_path) == {
        "data/prepared": "0123456789abcdef0123456789abcdef.dir",
        "pipeline/recipes/dcgan.yaml": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "results/train/dcgan": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.dir",
    }


@pytest.mark.parametrize("content", [None, "", "stages: [", "\x00", "stages:\n  prepare:\n", "[1]", "stages: [1]"])
def test_a_missing_empty_or_torn_lock_file_gives_no_hashes(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "dvc.lock").write_text(content)
    assert dvc_hashes(tmp_path) == {}


def test_tags_carry_commit_stage_and_the_hashes_asked_for(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "dvc.lock").write_text(LOCK)
    monkeypatch.setenv("DVC_STAGE", "train@dcgan")
    monkeypatch.setenv("DVC_EXP_NAME", "hasty-fox")
    assert lineage_tags(repository, of=("data/",)) == {
        "git.commit": git(repository, "rev-parse", "HEAD").strip(),
        "git.branch": "work",
        "git.dirty": "false",
        "dvc.stage": "train@dcgan",
        "dvc.experiment": "hasty-fox",
        "dvc.md5.data/prepared": "0123456789abcdef0123456789abcdef.dir",
    }
