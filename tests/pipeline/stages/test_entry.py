"""A stage ends with an exit code that says how, and an error a person is meant to read comes without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganops.termination import TERMINATED
from pipeline.stages.entry import FAILED, INTERRUPTED, USAGE

ROOT = Path(__file__).resolve().parents[3]

STAGE = """
import pathlib, time
from ganops.errors import DataError, TrackingError
from pipeline.stages.entry import run_stage

def main(recipe: str) -> None:
    if recipe == "wait":
        try:
            print("waiting", flush=True)
            time.sleep(60)
        finally:
            print("cleaned up", flush=True)
    if recipe == "bad":
        raise DataError("the folder is empty", expected="images", action="put some in")
    if recipe == "away":
        raise TrackingError("the tracking server does not answer", exit_code=75)
    if recipe == "full":
        raise OSError(28, "No space left on device", "results/x")
    if recipe == "bug":
        raise ValueError("a bug")
    print("done", recipe)

if __name__ == "__main__":
    run_stage(main)
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("entry") / "stage.py"
    path.write_text(STAGE)
    return path


def start(stage: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(stage), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell without a terminal starts background jobs with Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said", "traceback"),
    [
        (["dcgan"], 0, "done dcgan", False),
        (["bad"], FAILED, "to do: put some in", False),
        (["away"], 75, "does not answer", False),
        (["full"], FAILED, "No space left on device: 'results/x'", False),
        (["bug"], FAILED, "ValueError: a bug", True),
        ([], USAGE, "RECIPE", False),
        (["a", "b"], USAGE, "found: a b", False),
    ],
)
def test_exit_code_and_message(stage: Path, arguments: list[str], code: int, said: str, traceback: bool) -> None:
    process = start(stage, *arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert said in out + err
    assert ("Traceback" in err) == traceback


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)])
def test_a_stopped_stage_cleans_up_and_says_so_by_its_exit_code(stage: Path, sent: signal.Signals, code: int) -> None:
    process = start(stage, "wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.1)  # the line is printed just before the sleep begins
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "cleaned up" in out
    assert "Traceback" not in err
