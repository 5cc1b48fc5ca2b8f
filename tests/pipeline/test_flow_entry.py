"""A flow from the command line ends with one short message, and what it has started ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Prefect stops its temporary server at exit, which a process that the signal kills outright never reaches.
SCRIPT = """
import atexit, logging, os, signal, sys, time
sys.path.insert(0, os.environ["CHECKOUT"])
from pipeline.flows import entry
from pipeline.flows.reproduce import StageError

def terminated():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

def failed():
    log = logging.getLogger("prefect.task_runs")
    log.warning("a line of the stage")
    log.warning("ERROR: failed to reproduce 'train@mlp'")
    try:
        raise StageError("train@mlp failed: boom", expected="calm", found="noise", action="be quiet", exit_code=75)
    except StageError:
        log.exception("Task run failed")
        raise

def broken():
    raise ValueError("a bug")

def interrupted():
    raise KeyboardInterrupt

logging.basicConfig()
entry.read_params = lambda path: None
import ganops.registry.sweep
ganops.registry.sweep.sweep = lambda params: []
atexit.register(print, "the server is stopped")
entry.run_flow(globals()[sys.argv[1]])
"""


def run(folder: Path, ending: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CHECKOUT": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, ending]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_sigterm_leaves_no_server_behind(tmp_path: Path) -> None:
    done = run(tmp_path, "terminated")
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stdout == "the server is stopped\n"
    first, second = done.stderr.splitlines()
    assert first == "terminated: the same command resumes where it was"
    assert second.startswith("  log: ")


def test_a_failed_flow_says_once_what_failed_and_names_the_full_log(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    older = [tmp_path / "logs" / f"20260101-0000{second:02}.log" for second in range(25)]
    for second, file in enumerate(older):
        file.touch()
        os.utime(file, (second, second))
    os.utime(older[0])  # of a flow that is still at work
    done = run(tmp_path, "failed")
    assert done.returncode == 75
    left = set((tmp_path / "logs").glob("*.log"))
    assert left > {older[0], *older[-19:]}
    (log,) = left - set(older)
    lines = done.stderr.splitlines()
    assert "a line of the stage" in lines[0]
    assert lines[1:] == [
        "error: train@mlp failed: boom",
        "  expected: calm",
        "  found: noise",
        "  to do: be quiet",
        f"  log: logs/{log.name}",
    ]
    full = log.read_text()
    assert "Traceback" in full
    assert "ERROR: failed to reproduce 'train@mlp'" in full


@pytest.mark.parametrize(
    ("ending", "code", "said"), [("broken", 1, "found: ValueError: a bug"), ("interrupted", 130, "interrupted")]
)
def test_however_a_flow_ends_there_is_no_traceback(tmp_path: Path, ending: str, code: int, said: str) -> None:
    done = run(tmp_path, ending)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_of_logs_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file of that name")
    done = run(tmp_path, "failed")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "logs" in done.stderr
    assert "Traceback" not in done.stderr
