"""A process that has ended is told from one at work, and what is not known counts as at work."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ganops.tracking.process import BOOT, CHECKOUT, HOST, NAMESPACE, NETWORK, PID, STARTED, has_died, process_tags

PROGRAM = (
    "import json, sys; from ganops.tracking.process import process_tags\n"
    "print(json.dumps(process_tags()), flush=True); sys.stdin.read()"
)

ID = "0f3a9c8b7d61"  # the name of a container
NESTED = (
    "import json, socket, sys; from ganops.tracking.process import has_died, process_tags\n"
    f"socket.gethostname = lambda: '{ID}'\n"
    "print(json.dumps([process_tags(), has_died(json.loads(sys.argv[1]))]), flush=True); sys.stdin.read()"
)


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path


def test_a_killed_process_has_died_and_one_at_work_has_not() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        tags = json.loads(process.stdout.readline())
        assert tags[PID] == str(process.pid)
        assert not has_died(tags)
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert has_died(tags), "a zombie is dead"
        process.wait()
        assert has_died(tags)


@pytest.mark.parametrize(
    ("changes", "died"),
    [
        ({}, False),
        ({STARTED: "1"}, True),  # another process has its number now
        ({BOOT: "before"}, True),
        ({HOST: "another"}, False),
        ({NAMESPACE: "pid:[1]", PID: "999999999"}, False),
        ({PID: "999999999"}, True),
        ({PID: "999999999", CHECKOUT: "/"}, False),  # another checkout's business
        ({PID: "999999999", CHECKOUT: "/there/is/no/such/folder"}, True),  # this one, before it was moved
        ({PID: "999999999", CHECKOUT: ""}, False),
        ({PID: "edited", STARTED: "1"}, False),
    ],
)
def test_only_what_is_known_to_be_dead_counts(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], died: bool
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "machine")
    assert has_died(process_tags() | changes) is died


def test_a_container_that_was_restarted_ends_what_it_ran_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: ID)
    before = process_tags() | {NAMESPACE: "pid:[1]", NETWORK: "net:[1]"}
    assert has_died(before)
    assert not has_died(before | {HOST: "1f3a9c8b7d61"})


def test_processes_of_a_nested_namespace_and_around_it_leave_each_other_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """`unshare`, a sandbox, or a second container that shares network and name: numbers of processes say nothing."""
    nested = ["unshare", "--pid", "--fork", "--mount-proc"]
    if shutil.which(nested[0]) is None or subprocess.run([*nested, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs a PID namespace, which is not permitted here")
    monkeypatch.setattr(socket, "gethostname", lambda: ID)
    call, pipe = [*nested, sys.executable, "-c", NESTED, json.dumps(process_tags())], subprocess.PIPE
    with subprocess.Popen(call, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        tags, died = json.loads(process.stdout.readline())
        assert tags[NAMESPACE] != process_tags()[NAMESPACE]
        assert (has_died(tags), died) == (False, False)
        process.communicate()


def test_a_run_of_an_older_version_says_nothing() -> None:
    assert not has_died({})
