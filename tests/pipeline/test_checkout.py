"""The checkout of a worker: at the commit that is asked for, and never with what was not committed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import git

from ganops.settings import read_yaml
from pipeline.environment import ROOT
from pipeline.flows.checkout import enter, go_to, revision
from pipeline.flows.reproduce import StageError


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The coordinator's checkout with one commit, and a worker's clone of it, which is the working directory."""
    mine, theirs = tmp_path / "coordinator", tmp_path / "worker"
    mine.mkdir()
    git(mine, "init", "--quiet", "--initial-branch", "main")
    for key, value in (("user.name", "tiny"), ("user.email", "tiny@localhost"), ("commit.gpgsign", "false")):
        git(mine, "config", key, value)
    commit(mine, "one")
    git(tmp_path, "clone", "--quiet", str(mine), str(theirs))
    monkeypatch.chdir(theirs)
    return mine, theirs


def commit(folder: Path, text: str) -> str:
    """Write params.yaml and dvc.lock and commit them."""
    for name in ("params.yaml", "dvc.lock"):
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", text)
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.mark.parametrize("staged", [True, False], ids=["staged", "changed"])
def test_a_worker_fetches_the_commit_and_drops_its_own_lock_file(clones: tuple[Path, Path], staged: bool) -> None:
    mine, theirs = clones
    (theirs / "dvc.lock").write_text("what DVC wrote here")
    if staged:  # as DVC does with core.autostage
        git(theirs, "add", "dvc.lock")
    wanted = commit(mine, "two")
    go_to(wanted)
    assert revision() == wanted
    assert (theirs / "params.yaml").read_text() == "two"
    go_to(wanted)


def test_what_is_not_committed_is_refused(clones: tuple[Path, Path]) -> None:
    mine, theirs = clones
    (theirs / "params.yaml").write_text("mine")
    for work in (revision, lambda: go_to(commit(mine, "two"))):
        with pytest.raises(StageError) as error:
            work()
        assert (error.value.code, error.value.found) == ("not-committed", "params.yaml")
    assert (theirs / "params.yaml").read_text() == "mine"


def test_a_commit_that_nobody_pushed_says_so(clones: tuple[Path, Path]) -> None:
    with pytest.raises(StageError) as error:
        go_to("0" * 40)
    assert error.value.code == "git-failed"


def test_each_worker_works_in_its_own_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (stage,) = [each for each in read_yaml(ROOT / "prefect.yaml")["deployments"] if each["name"] == "stage"]
    assert stage["pull"] == [{"pipeline.flows.checkout.enter": {}}]
    monkeypatch.chdir(tmp_path)
    assert enter() == {"directory": str(ROOT)}
    assert Path.cwd() == ROOT
