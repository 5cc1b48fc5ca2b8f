"""A failed command says whether trying again can help, and why it failed in the stage's own words."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import pytest
from prefect.states import Failed

from pipeline.flows.command_group import CommandGroup, CompletedCommand
from pipeline.flows.reproduce import StageError, TransientError, reproduce, run_dvc
from pipeline.flows.retries import passes_by_itself


class Scripted(CommandGroup):
    """Commands that print given lines and end with a given code: what DVC and the network do on bad days."""

    def __init__(self, code: int, *lines: str, timed_out: bool = False) -> None:
        super().__init__()
        self.ends = [CompletedCommand(code, lines, timed_out)]
        self.commands: list[list[str]] = []

    def run(self, command, log, *, environment=None, timeout=None):
        self.commands.append(list(command))
        ended = self.ends.pop(0)
        for line in ended.lines:
            log(line)
        return ended


FINAL = [
    ("error: params.yaml: key 'train.device' is wrong", "ERROR: failed to run: python -m ..., exited with 1"),
    ("Traceback (most recent call last):", "ValueError: a bug", "ERROR: failed to run: ..., exited with 1"),
    ("ERROR: failed to run: python -m pipeline.stages.train dcgan, exited with 143",),
    ("ERROR: output 'results/train/dcgan/model' does not exist",),
]
TRANSIENT = [
    ("error: the tracking store does not answer", "ERROR: failed to run: ..., exited with 75"),
    ("ERROR: Unable to acquire lock. Most likely another DVC process is running.",),
    ("ERROR: failed to push: Connection reset by peer",),
    ("OSError: [Errno 104] ECONNRESET",),
    ("ERROR: failed to run: python -m pipeline.stages.train dcgan, exited with -9",),
    ("ERROR: Unable to create '.git/index.lock': File exists.",),
]


@pytest.mark.parametrize("lines", FINAL)
def test_mistakes_are_final(lines: tuple[str, ...]) -> None:
    with pytest.raises(StageError) as raised:
        reproduce("train@dcgan", Scripted(255, *lines), print)
    assert not isinstance(raised.value, TransientError)


@pytest.mark.parametrize("lines", TRANSIENT)
def test_failures_of_machine_and_network_are_transient(lines: tuple[str, ...]) -> None:
    with pytest.raises(TransientError):
        reproduce("train@dcgan", Scripted(255, *lines), print)


def test_a_timeout_is_final_and_says_how_long_it_was() -> None:
    with pytest.raises(StageError) as raised:
        reproduce("train@dcgan", Scripted(-15, "exited with -9", timed_out=True), print, timeout=1800.0)
    assert not isinstance(raised.value, TransientError)
    assert (raised.value.code, raised.value.expected) == ("stage-timeout", "an end within 1,800 s")


def test_the_stages_own_error_is_what_is_reported() -> None:
    lines = (
        "error: the folder is empty",
        "  expected: images",
        "  found: nothing",
        "  to do: fill it",
        "ERROR: failed to reproduce 'prepare': failed to run: ..., exited with 1",
    )
    with pytest.raises(StageError) as raised:
        reproduce("prepare", Scripted(255, *lines), print)
    error = raised.value
    assert error.message == "prepare failed: the folder is empty"
    assert (error.expected, error.found, error.action) == ("images", "nothing", "fill it")


def test_a_list_of_errors_is_reported_whole() -> None:
    lines = ("error: 2 settings are impossible", "  - first; found: a", "  - second", "ERROR: failed to reproduce")
    with pytest.raises(StageError) as raised:
        reproduce("resolve", Scripted(255, *lines), print)
    assert raised.value.message.splitlines()[1:] == ["  - first; found: a", "  - second"]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("Traceback (most recent call last):", "ValueError: a bug", "ERROR: ... exited with 1"), "ValueError: a bug"),
        (("some line", "ERROR: failed to run: ..., exited with -9"), "exited with -9"),
        (("ERROR: output 'results/x' does not exist",), "output 'results/x' does not exist"),
        ((), "exit code 255"),
    ],
)
def test_without_an_error_of_its_own_the_last_words_count(lines: tuple[str, ...], found: str) -> None:
    with pytest.raises(StageError) as raised:
        reproduce("train@mlp", Scripted(255, *lines), print)
    assert (raised.value.code, raised.value.found) == ("stage-failed", found)


@pytest.mark.parametrize(
    ("lines", "ran"),
    [
        (("Running stage 'train@dcgan':", *["train dcgan [###-]"] * 500), ("train@dcgan",)),
        (("Stage 'train@dcgan' didn't change, skipping",), ()),
        (("Stage 'train@dcgan' is cached - skipping run, checking out outputs",), ()),
        (("Running stage 'inventory':", "Running stage 'prepare':"), ("inventory", "prepare")),
    ],
)
def test_which_stages_ran_is_read_from_what_dvc_prints(lines: tuple[str, ...], ran: tuple[str, ...]) -> None:
    assert reproduce("train@dcgan", Scripted(0, *lines), print) == ran


def test_the_command_waits_for_another_dvc() -> None:
    """--wait-for-lock belongs to dvc itself: after `repro` it is an unknown option."""
    scripted = Scripted(0)
    run_dvc("repro", "--single-item", "compare", commands=scripted, log=print)
    assert scripted.commands[0][1:] == ["-m", "dvc", "--wait-for-lock", "repro", "--single-item", "compare"]


def test_a_stage_that_another_dvc_works_on_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.flows.reproduce.BUSY_PAUSE", 0.01)
    scripted, heard = Scripted(255, "ERROR: 'results/compare' is busy, it is being blocked by:"), list[str]()
    scripted.ends += [*scripted.ends, CompletedCommand(0, ("Stage 'compare' didn't change, skipping",))]
    assert reproduce("compare", scripted, heard.append) == ()
    assert len(scripted.commands) == 3
    assert "another DVC is at work on the same files: waiting for compare" in heard


@pytest.mark.parametrize("stays", [True, False])
def test_a_lock_of_a_killed_dvc_whose_number_another_process_has_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    command = f"/x/dvc repro {psutil.Process().cmdline()[-1] if stays else 'train@dcgan'}"
    monkeypatch.setattr("pipeline.flows.reproduce.BUSY_PAUSE", 0.0)
    monkeypatch.chdir(tmp_path)
    lock, holder = tmp_path / ".dvc" / "tmp" / "rwlock", {"pid": os.getpid(), "cmd": command}
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps({"write": {"results": holder}, "read": {"data": [holder | {"pid": 999999999}]}}))
    scripted = Scripted(255, "ERROR: 'results' is busy, it is being blocked by:")
    scripted.ends += [CompletedCommand(0, ())]
    reproduce("compare", scripted, lambda _: None)
    assert lock.exists() is stays


def test_stages_before_it_run_too_where_they_are_asked_for() -> None:
    scripted = Scripted(0)
    reproduce("prepare", scripted, print, upstream=True)
    assert scripted.commands[0][4:] == ["repro", "prepare"]


def test_only_transient_failures_are_tried_again() -> None:
    for error, again in ((TransientError("lock"), True), (StageError("bug"), False), (ValueError("bug"), False)):
        assert passes_by_itself(None, None, Failed(data=error)) is again
