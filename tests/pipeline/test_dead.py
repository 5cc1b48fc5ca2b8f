"""Prefect's record of a flow whose process was killed: crashed, as soon as the next flow of this checkout begins."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = textwrap.dedent(
    """
    import json, os, signal, sys
    import pipeline
    from prefect import flow, task
    from pipeline.flows.dead import end_dead_flow_runs

    @task
    def work():
        os.kill(os.getpid(), signal.SIGKILL)

    @flow(name="train-gans")
    def train_gans(killed: bool):
        print(json.dumps(end_dead_flow_runs()), flush=True)
        if killed:
            work()

    train_gans(sys.argv[1] == "killed")
    """
)


def run(home: Path, how: str) -> int:
    """The exit code of a flow; the temporary server of a killed one is ended as well. It prints to the file HOW."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"PREFECT_HOME": str(home / "prefect"), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    with (home / how).open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, how], cwd=home, env=environment, stdout=said, start_new_session=True
        )
        try:
            return process.wait(300)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_flow_run_of_a_killed_process_crashes_when_the_next_one_begins(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    assert run(tmp_path, "killed") == -signal.SIGKILL
    assert run(tmp_path, "alive") == 0
    (said,) = json.loads((tmp_path / "alive").read_text().splitlines()[0])
    assert said.endswith("of a killed process has crashed")
    with closing(sqlite3.connect(tmp_path / "prefect" / "prefect.db")) as database:
        flows = database.execute("SELECT state_type FROM flow_run ORDER BY created").fetchall()
        tasks = database.execute("SELECT state_type FROM task_run").fetchall()
    assert flows == [("CRASHED",), ("COMPLETED",)]
    assert not [state for (state,) in tasks if state == "RUNNING"]
