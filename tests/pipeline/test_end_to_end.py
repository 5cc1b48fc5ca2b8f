"""The whole pipeline on tiny settings: what runs, what is skipped, and that nothing is lost when things go wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import threading
import time
from contextlib import closing

import psutil
import pytest
from tiny import ALWAYS_RUN, SETTINGS, Checkout, git, ran, records

from pipeline.flows.command_group import CommandGroup
from pipeline.flows.reproduce import reproduce

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]

RECIPES: list[str] = SETTINGS["recipes"]


def test_the_first_run_trains_scores_compares_registers_and_promotes(first_run: tuple[Checkout, str]) -> None:
    checkout, said = first_run
    single = {"prepare", "resolve", "reference", "compare", "register"}
    assert ran(said) == single | {f"{stage}@{recipe}" for stage in ("train", "evaluate") for recipe in RECIPES}
    assert records(checkout.folder) == {"runs": 1 + len(RECIPES), "model_versions": 1}
    outcome = said[said.index("ran: ") :]
    assert "version 1 is champion now" in outcome
    for expected in (
        "FID (classifier)",
        "images/s",
        "results/compare/report.html",
        "make ui, then http://127.0.0.1:5000/#/experiments/1/runs?",
    ):
        assert expected in outcome
    assert re.search(r"train mlp +\[#+-*\] +\d+%.*images/s +left", said), "progress lines reach the terminal"


def test_the_runs_of_a_flow_have_its_run_as_parent(first_run: tuple[Checkout, str]) -> None:
    checkout = first_run[0]
    with closing(sqlite3.connect(checkout.folder / "mlflow.db")) as database:
        kinds = dict(database.execute("SELECT run_uuid, value FROM tags WHERE key = 'kind'").fetchall())
        parents = dict(database.execute("SELECT run_uuid, value FROM tags WHERE key = 'mlflow.parentRunId'").fetchall())
    (flow,) = (run for run, kind in kinds.items() if kind == "flow")
    assert set(parents.values()) == {flow}
    assert len(parents) == len(RECIPES)


def test_a_second_time_nothing_runs(checkout: Checkout) -> None:
    before = records(checkout.folder), (checkout.folder / "dvc.lock").read_bytes()
    said = checkout.dvc("repro")
    assert ran(said) == set()
    assert (records(checkout.folder), (checkout.folder / "dvc.lock").read_bytes()) == before


def test_an_experiment_runs_only_what_its_change_touches_and_is_tracked_with_the_rest(checkout: Checkout) -> None:
    """In a temporary copy of the checkout, whose records must not go away with it."""
    before = records(checkout.folder)
    said = checkout.dvc(
        *("exp", "run", "--temp", "--name", "faster", "train@dcgan"),
        *("--set-param", "pipeline/recipes/dcgan.yaml:optimizers.generator.lr=5e-4"),
    )
    assert ran(said) == {"resolve", "train@dcgan"}
    assert records(checkout.folder)["runs"] == before["runs"] + 1
    with closing(sqlite3.connect(checkout.folder / "mlflow.db")) as database:
        names = {name for (name,) in database.execute("SELECT name FROM runs")}
    assert "faster/dcgan" in names
    assert not git(checkout.folder, "status", "--porcelain"), "the workspace is untouched"
    table = checkout.dvc("exp", "show", "--only-changed", "--md")
    assert "faster" in table
    assert "0.0005" in table


def test_what_has_no_influence_on_results_runs_nothing(checkout: Checkout) -> None:
    checkout.set("train.checkpoint_seconds=5", "gate.mode=dry_run", "tracking.experiment=other")
    changed = set(json.loads(checkout.dvc("status", "--json")))
    assert changed == {ALWAYS_RUN, "resolve"}, "the settings are checked again, and nothing else"
    checkout.set("evaluate.samples=201")
    changed = set(json.loads(checkout.dvc("status", "--json")))
    evaluated = {f"evaluate@{recipe}" for recipe in RECIPES}
    assert changed == {ALWAYS_RUN, "resolve", "reference"} | evaluated, "only the samples count"


def test_dvc_shows_short_tables_and_charts_that_open_without_a_network(checkout: Checkout) -> None:
    table = checkout.dvc("metrics", "show", "--md").splitlines()
    assert table[0].replace(" ", "") == "|Path|fid_classifier|kid_classifier|precision|recall|"
    assert [line.split("|")[1].strip() for line in table[2:] if line.strip()] == [
        f"results/compare/scores/{recipe}.json" for recipe in sorted(RECIPES)
    ]
    checkout.run("-m", "pipeline.plots_page")
    checkout.dvc("plots", "show")
    page = (checkout.folder / "dvc_plots" / "index.html").read_text()
    charts = page[page.rindex("</head>") :]  # the library before it has tags of its own
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=.?https?:", page)
    assert charts.count("vegaEmbed('#") == len(RECIPES), "the curves of each training"
    assert charts.count("<img src=") == len(RECIPES), "the samples of each"


def test_two_at_once_both_end_well(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that want the same stage one runs it, and the other waits and finds it done."""
    monkeypatch.chdir(checkout.folder)
    checkout.set("compare.metric=kid_classifier")
    outcomes: list[int] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(len(reproduce("compare", CommandGroup(), print))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert sorted(outcomes) == [0, 1]


def test_a_killed_training_resumes_where_it_was(checkout: Checkout) -> None:
    checkout.set("pipeline/recipes/mlp.yaml:budget_kimg=4", "train.budget_scale=1", "train.checkpoint_seconds=0.2")
    before = records(checkout.folder)
    process = checkout.start("-m", "dvc", "repro", "--single-item", "train@mlp")
    while process.poll() is None and not any((checkout.folder / "checkpoints").glob("mlp/*/step-*.json")):
        time.sleep(0.02)
    (training,) = (
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "pipeline.stages.train" in child.cmdline()
    )
    os.kill(training.pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0, said
    again = checkout.dvc("repro", "--single-item", "train@mlp")
    assert re.search(r"resumes from the checkpoint of step \d", again), again
    facts = json.loads((checkout.folder / "results/train/mlp/training.json").read_text())
    assert facts["kimg"] == pytest.approx(4, abs=0.1)  # to one batch
    assert records(checkout.folder)["runs"] == before["runs"] + 1, "both halves are one run"
