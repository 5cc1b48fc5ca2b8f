"""A flow from the command line, ended by a signal: what it has started ends with it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Prefect stops its temporary server at exit, which a process that the signal kills outright never comes to.
SCRIPT = """
import atexit, os, signal, time
from pipeline.flows.entry import run_flow

def flow():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

atexit.register(print, "the server is stopped")
run_flow(flow)
"""


def test_sigterm_leaves_no_server_behind() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stdout == "the server is stopped\n"
    assert not done.stderr
