"""The train stage in two processes: one result, one run; an error, not torchrun's traceback, where one is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from evaluated_home import PARAMS, RECIPE, make_home

from ganops.games.saved import load_game
from ganops.tracking.store import connect
from ganops.workspace import WORKSPACE
from pipeline.stages.reference import main as make_reference

ROOT = Path(__file__).resolve().parents[3]
WITHOUT_TORCHMETRICS = ROOT / "tests" / "without_torchmetrics"  # which saves seconds in each
TRAIN = (
    "train: {device: cpu, precision: float32, processes: 2, sample_times: 2, validate_kimg: 0.4, validation_samples: 60"
)
TRAIN += ", checkpoint_seconds: 0.1}\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tracking_home: Path) -> Path:
    """A checkout with prepared digits, their reference and an empty tracking database."""
    make_home(tracking_home)
    (tracking_home / "params.yaml").write_text(PARAMS + TRAIN)
    make_reference()
    return tracking_home


BUDGET = 0.8  # kimg: seconds of two processes, so that there is a checkpoint long before the end
STAGE = ("-m", "pipeline.stages.train", "tiny")


@contextmanager
def training(home: Path, *launcher: str) -> Iterator[subprocess.Popen[str]]:
    recipe = RECIPE.model_copy(update={"budget_kimg": BUDGET, "micro_batches": 2})
    WORKSPACE.recipe("tiny").write_text(recipe.model_dump_json())
    process = subprocess.Popen(
        [sys.executable, *launcher, *STAGE],
        cwd=home,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{WITHOUT_TORCHMETRICS}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
            child.kill()
        process.kill()


def wait_for(home: Path, pattern: str) -> None:
    """Wait until the training has left such a file."""
    end = time.monotonic() + 120
    while not list(home.glob(pattern)):
        assert time.monotonic() < end, f"{pattern} never came"
        time.sleep(0.02)


def assert_one_model_and_one_run() -> None:
    load_game(WORKSPACE.model("tiny"))
    steps = [line.split(",")[0] for line in (WORKSPACE.trained("tiny") / "history.csv").read_text().splitlines()[1:]]
    assert len(steps) == len(set(steps))
    client = connect().client
    runs = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    assert [run.data.tags["recipe"] for run in runs] == ["tiny"]


def test_a_killed_process_is_named_and_two_machines_with_one_folder_resume_to_one_model_and_one_run(home: Path) -> None:
    """The machines are two times torchrun on this one, with one process each, as docs/how-to/many-gpus.md has it."""
    with training(home) as process:
        wait_for(home, "checkpoints/tiny/*/step-*.json")
        psutil.Process(process.pid).children()[-1].kill()
        said, _ = process.communicate(timeout=100)
    assert process.returncode == 128 + signal.SIGKILL, said
    assert "of 2 was killed by SIGKILL" in said
    assert "training resumes from the last checkpoint" in said
    assert "Traceback" not in said
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meeting = ("--rdzv-backend", "c10d", "--rdzv-endpoint", f"localhost:{port}", "--rdzv-id", "tiny")
    machine = ("-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1", *meeting)
    with training(home, *machine) as first, training(home, *machine) as second:
        both = [process.communicate(timeout=200)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), both
    (said,) = (text for text in both if "is selected" in text)
    assert "training resumes from the checkpoint of step" in said
    assert said.count("is selected") == 1
    assert_one_model_and_one_run()
