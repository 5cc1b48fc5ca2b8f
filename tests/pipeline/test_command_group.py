"""A command can be watched while it runs, and however it ends nothing of it is left running."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from pipeline.flows import command_group
from pipeline.flows.command_group import CommandGroup

PARENT_AND_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
print(child.pid, flush=True)
time.sleep(120)
"""


def python(source: str) -> list[str]:
    return [sys.executable, "-c", source]


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_lines_come_as_they_are_printed_and_both_streams_are_heard() -> None:
    heard: list[tuple[str, float]] = []
    source = "import sys, time; print('one'); time.sleep(1); print('two', file=sys.stderr); sys.exit(3)"
    ended = CommandGroup().run(python(source), lambda line: heard.append((line, time.monotonic())))
    assert [line for line, _ in heard] == ["one", "two"]
    assert heard[1][1] - heard[0][1] > 0.5, "the first line came only with the second"
    assert (ended.code, ended.lines, ended.timed_out) == (3, ("one", "two"), False)


def test_the_environment_and_closed_input_reach_the_command() -> None:
    source = "import os, sys; print(os.environ['PLACE'], repr(sys.stdin.read()))"
    assert CommandGroup().run(python(source), print, environment={"PLACE": "first"}).lines == ("first ''",)


def test_a_timeout_ends_the_command_with_its_children() -> None:
    heard: list[str] = []
    start = time.monotonic()
    ended = CommandGroup().run(python(PARENT_AND_CHILD), heard.append, timeout=2.0)
    assert ended.timed_out
    assert ended.code == -signal.SIGTERM
    assert time.monotonic() - start < 30
    assert wait_for(lambda: gone(int(heard[0])))


def test_what_ignores_sigterm_is_killed_after_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_group, "GRACE_SECONDS", 1.0)
    source = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(120)"
    ended = CommandGroup().run(python(source), print, timeout=2.0)
    assert ended.timed_out
    assert ended.code == -signal.SIGKILL


def test_a_listener_that_fails_leaves_no_process_behind() -> None:
    pids: list[int] = []

    def fail(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CommandGroup().run(python(PARENT_AND_CHILD), fail)
    assert wait_for(lambda: gone(pids[0]))


def test_stop_ends_all_that_runs_and_lets_nothing_start_any_more() -> None:
    group, heard = CommandGroup(), list[str]()
    threads = [threading.Thread(target=group.run, args=(python(PARENT_AND_CHILD), heard.append)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert wait_for(lambda: len(heard) == 2)
    group.stop()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    # Output is closed a moment before a process is gone.
    assert wait_for(lambda: all(gone(int(pid)) for pid in heard))
    with pytest.raises(KeyboardInterrupt):
        group.run(python("print(1)"), heard.append)
    assert len(heard) == 2


def test_the_command_has_a_session_of_its_own() -> None:
    """So that Ctrl-C in the terminal reaches the flow alone, which then ends its commands in order."""
    ended = CommandGroup().run(python("import os; print(os.getsid(0))"), print)
    assert int(ended.lines[0]) != os.getsid(0)
