"""Trainings side by side, with real processes: killed ones are started again, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from ganops.errors import SearchError
from ganops.search.crew import Failure, Work, run_all
from ganops.search.executor import Running
from ganops.search.process import end_process
from ganops.search.trial_folder import Outcome, TrialFolder

OUTCOME = Outcome(state="complete", value=1.0, kimg=1.0, images_per_second=1.0)


class Scripts:
    """Runs a shell command in each folder, in place of a training."""

    def __init__(self, places: int, command: str) -> None:
        self.places, self.command = places, command
        self.started: list[subprocess.Popen[bytes]] = []
        self.most = 0

    def start(self, folder: Path, environment: Mapping[str, str]) -> Running:
        folder.mkdir(exist_ok=True)
        process = subprocess.Popen(
            ["sh", "-c", self.command], cwd=folder, env=os.environ | dict(environment), start_new_session=True
        )
        self.started.append(process)
        self.most = max(self.most, sum(each.poll() is None for each in self.started))
        return Script(process)


class Script:
    """A shell at work."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def poll(self) -> int | None:
        return self.process.poll()

    def stop(self) -> None:
        end_process(self.process)


def run(executor: Scripts, folder: Path, count: int = 1) -> list[Outcome | Failure]:
    """How each of `count` trainings ended."""
    (folder / "done.json").write_text(OUTCOME.model_dump_json())
    ended: list[Outcome | Failure] = []
    works = iter([Work(TrialFolder(folder / str(number)), ended.append) for number in range(count)])
    run_all(executor, lambda: next(works, None), {"WORD": "text"})
    return ended


def test_no_more_at_once_than_places_and_what_has_an_outcome_is_not_begun_again(tmp_path: Path) -> None:
    executor = Scripts(2, 'test "$WORD" = text && sleep 0.1 && cp ../done.json outcome.json')
    assert run(executor, tmp_path, 5) == [OUTCOME] * 5
    assert (len(executor.started), executor.most) == (5, 2)
    assert run(executor, tmp_path, 6) == [OUTCOME] * 6
    assert len(executor.started) == 6


def test_a_killed_training_is_started_again_but_not_for_ever(tmp_path: Path) -> None:
    once = Scripts(1, "if test -e killed; then cp ../done.json outcome.json; else touch killed; kill -9 $$; fi")
    assert run(once, tmp_path) == [OUTCOME]
    assert len(once.started) == 2
    always = Scripts(1, "echo out of memory >> log.txt; kill -9 $$")
    (tmp_path / "b").mkdir()
    assert run(always, tmp_path / "b") == [Failure(-9, "out of memory\n" * 2 + "out of memory")]
    assert len(always.started) == 3


def test_an_error_ends_a_training_at_once(tmp_path: Path) -> None:
    executor = Scripts(1, "printf 'error: no\\n  to do: something else\\n' > log.txt; exit 1")
    (found,) = run(executor, tmp_path)
    assert found == Failure(1, "error: no\n  to do: something else")
    assert found.reason == "error: no"
    assert len(executor.started) == 1


@pytest.mark.parametrize("killed", [0, 1])
def test_one_that_was_started_again_is_stopped_too(tmp_path: Path, killed: int) -> None:
    again = "if test -e killed; then exec sleep 60; else touch killed; kill -9 $$; fi"
    executor = Scripts(2, f"case $PWD in */{killed}) {again};; *) exit {os.EX_TEMPFAIL};; esac")
    with pytest.raises(SearchError):
        run(executor, tmp_path, 2)
    assert all(process.returncode is not None for process in executor.started)


def test_without_the_tracking_store_the_search_ends_and_stops_the_others(tmp_path: Path) -> None:
    executor = Scripts(
        2, f"case $PWD in */0) exec sleep 60;; *) echo no answer > log.txt; exit {os.EX_TEMPFAIL};; esac"
    )
    with pytest.raises(SearchError) as caught:
        run(executor, tmp_path, 2)
    assert (caught.value.code, caught.value.found) == ("unreachable", "no answer")
    assert [process.returncode for process in executor.started] == [-15, os.EX_TEMPFAIL]
