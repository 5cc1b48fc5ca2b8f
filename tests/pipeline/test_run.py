"""The command behind `make run`: nothing heavy where nothing has to run, and signals reach the flow alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from evaluated_home import make_home

from ganops.errors import SettingsError
from pipeline.flows import run
from pipeline.flows.reproduce import StageError
from pipeline.flows.run import run_in_session

ROOT = Path(__file__).resolve().parents[2]

# A flow with a server of its own, and what `run` makes of a signal to its whole group.
FLOW = """
import signal, subprocess, sys, time
server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
def end(number, frame):
    time.sleep(0.5)
    print("server", "lives" if server.poll() is None else "died", "at", number, flush=True)
    server.kill()
    sys.exit(128 + number)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end)
print("ready", flush=True)
time.sleep(60)
"""
SCRIPT = f"""
import signal, sys
for number in (signal.SIGINT, signal.SIGHUP):  # which `nohup` and `&` around the tests leave ignored
    signal.signal(number, signal.SIG_DFL)
sys.path.insert(0, {str(ROOT)!r})
from pipeline.flows.run import run_in_session
sys.exit(run_in_session([sys.executable, "-c", {FLOW!r}]))
"""


@pytest.mark.parametrize(
    ("sent", "heard"),
    [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)],
)
def test_a_signal_to_the_group_leaves_the_server_to_the_flow(sent: signal.Signals, heard: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, sent)
    said, _ = process.communicate(timeout=60)
    assert said == f"server lives at {heard.value}\n"
    assert process.returncode == 128 + heard


def test_the_exit_code_is_that_of_the_flow() -> None:
    assert run_in_session([sys.executable, "-c", "raise SystemExit(75)"]) == 75
    assert run_in_session([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137


def test_prefect_and_torch_are_not_imported_to_find_out_that_nothing_has_to_run() -> None:
    source = "import sys, pipeline.flows.run; print([m for m in ('prefect', 'torch', 'mlflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(("up_to_date", "flow"), [(True, "training"), (True, "retraining"), (False, "training")])
def test_a_flow_starts_unless_nothing_has_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, up_to_date: bool, flow: str
) -> None:
    started = list[str]()

    def start(command: list[str]) -> int:
        started.append(" ".join(command[1:]))
        return 3

    def end(_gate: object) -> None:
        started.append("the gate")
        raise SystemExit(0)

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(run, "write_inventory", lambda: None)
    monkeypatch.setattr(run, "is_up_to_date", lambda: up_to_date)
    monkeypatch.setattr(run, "run_in_session", start)
    monkeypatch.setattr(run, "run_flow", end)
    with pytest.raises(SystemExit) as ended:
        run.main(flow, "--option")
    only_gate = up_to_date and flow == "training"
    assert started == (["the gate"] if only_gate else [f"-m pipeline.flows.{flow} --option"])
    assert ended.value.code == (0 if only_gate else 3)


@pytest.mark.parametrize("text", ["schema: '2.0'\nstages: 7\n", "", "schema: '2.0'\nstages:\n  a:\n    cmd: [\n"])
def test_a_damaged_lock_file_is_named_before_any_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    make_home(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "run_in_session", lambda _command: pytest.fail("a flow was started"))
    Path("dvc.lock").write_text(text)
    with pytest.raises(SettingsError) as caught:
        run.main()
    assert "dvc.lock" in caught.value.message
    assert caught.value.code in ("damaged-file", "no-settings", "bad-yaml")


def test_a_checkout_of_another_user_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_home(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "run_in_session", lambda _command: pytest.fail("a flow was started"))
    monkeypatch.setattr(run, "why_no_commit", lambda _folder: "detected dubious ownership in repository at '/x'")
    with pytest.raises(StageError) as caught:
        run.main()
    assert caught.value.code == "other-owner"
