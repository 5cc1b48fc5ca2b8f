"""A failed command says whether trying again can help, and why it failed in the stage's own words."""

from __future__ import annotations

import pytest
from prefect.states import Failed

from pipeline.flows.process import CompletedCommand, Processes
from pipeline.flows.reproduce import StageError, TransientError, reproduce, run_dvc
from pipeline.flows.retries import passes_by_itself


class Scripted(Processes):
    """Processes whose commands print given lines and end with a given code: what DVC and the network do on bad days."""

    def __init__(self, code: int, *lines: str, timed_out: bool = False) -> None:
        super().__init__()
        self.ends = [CompletedCommand(code, lines, timed_out)]
        self.commands: list[list[str]] = []

    def run(self, command, say, *, environment=None, timeout=None):  # type: ignore[no-untyped-def]
        self.commands.append(list(command))
        ended = self.ends.pop(0)
        for line in ended.lines:
            say(line)
        return ended


FINAL = [
    ("error: params.yaml: key 'train.device' is wrong", "ERROR: failed to run: python -m ..., exited with 1"),
    ("Traceback (most recent call last):", "ValueError: a bug", "ERROR: failed to run: ..., exited with 1"),
    ("ERROR: failed to run: python -m pipeline.stages.train dcgan, exited with 143",),
    ("ERROR: output 'results/train/dcgan/model' does not exist",),
]
PASSING = [
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


@pytest.mark.parametrize("lines", PASSING)
def test_bad_days_of_the_machinery_pass(lines: tuple[str, ...]) -> None:
    with pytest.raises(TransientError):
        reproduce("train@dcgan", Scripted(255, *lines), print)


def test_a_timeout_is_final_and_says_how_long_it_was() -> None:
    with pytest.raises(StageError, match="1,800 s") as raised:
        reproduce("train@dcgan", Scripted(-15, "exited with -9", timed_out=True), print, timeout=1800.0)
    assert not isinstance(raised.value, TransientError)


def test_the_stages_own_error_is_the_reason() -> None:
    with pytest.raises(StageError, match="found: error: the folder is empty"):
        reproduce("prepare", Scripted(255, "error: the folder is empty", "  to do: fill it", "ERROR: failed"), print)


@pytest.mark.parametrize(
    ("lines", "ran"),
    [
        (("Running stage 'train@dcgan':", *["train dcgan [###-]"] * 500), True),
        (("Stage 'train@dcgan' didn't change, skipping",), False),
        (("Stage 'train@dcgan' is cached - skipping run, checking out outputs",), False),
        (("Running stage 'train@dcgan-wide':",), False),
    ],
)
def test_whether_a_stage_ran_is_read_from_what_dvc_says(lines: tuple[str, ...], ran: bool) -> None:
    assert reproduce("train@dcgan", Scripted(0, *lines), print) is ran


def test_the_command_waits_for_another_dvc() -> None:
    """--wait-for-lock belongs to dvc itself: after `repro` it is an unknown option."""
    scripted = Scripted(0)
    run_dvc("repro", "--single-item", "compare", processes=scripted, say=print)
    assert scripted.commands[0][1:] == ["-m", "dvc", "--wait-for-lock", "repro", "--single-item", "compare"]


def test_a_stage_that_another_dvc_works_on_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.flows.reproduce.BUSY_PAUSE", 0.01)
    scripted, heard = Scripted(255, "ERROR: 'results/compare' is busy, it is being blocked by:"), list[str]()
    scripted.ends += [*scripted.ends, CompletedCommand(0, ("Stage 'compare' didn't change, skipping",))]
    assert reproduce("compare", scripted, heard.append) is False
    assert len(scripted.commands) == 3
    assert "another DVC is at work on this: dvc repro --single-item compare waits" in heard


def test_only_passing_failures_are_tried_again() -> None:
    for error, again in ((TransientError("lock"), True), (StageError("bug"), False), (ValueError("bug"), False)):
        assert passes_by_itself(None, None, Failed(data=error)) is again  # type: ignore[arg-type]
