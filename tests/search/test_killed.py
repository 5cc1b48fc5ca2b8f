"""A search in processes of its own, killed without warning while a trial runs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from search.conftest import InThisProcess, order

from ganops.search.budget import Budget
from ganops.search.run import DATABASE, search
from ganops.search.study import Study
from ganops.workspace import WORKSPACE

SECONDS = 120
OPTIONS = ("--budget", "2kimg", "--trials", "2", "--top", "1", "--seeds", "1")


def wait_for(pattern: str, folder: Path) -> None:
    give_up = time.monotonic() + SECONDS
    while not list(folder.glob(pattern)):
        assert time.monotonic() < give_up, f"no {pattern} in {folder}"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_search_leaves_no_process_and_counts_each_trial_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = WORKSPACE.params.read_text().replace("train: {", "train: {checkpoint_seconds: 0.1, ")
    WORKSPACE.params.write_text(settings)
    asked = order(budget=Budget(kimg=2), trials=2, seeds=1)
    folder = asked.trial_folder(0)
    command = [sys.executable, "-c", "from ganops.cli import main; main()", "search", "tiny", *OPTIONS]
    killed = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL)
    wait_for("unfinished/*/step-*.json", folder.path)
    trials = psutil.Process(killed.pid).children()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    _, alive = psutil.wait_procs(trials, timeout=30)
    assert not alive, "a trial ends when its search is gone"
    assert folder.outcome() is None
    executor = InThisProcess()
    search(asked, executor)
    assert "training resumes from the checkpoint of step" in capsys.readouterr().out
    assert [each.name for each in executor.folders[:2]] == ["0000", "0001"]
    study = Study(asked.folder / DATABASE, asked.space, asked.own_values, "lower", asked.seed, asked.identity())
    assert [trial.state in ("complete", "pruned") for trial in study.trials()] == [True, True]
