"""The check of a GPU by itself: what it says without one, and that no part hides another."""

from __future__ import annotations

import json
import sys
import time
import zipfile
from pathlib import Path

import gpu_check
import pytest
import torch
from gpu_check import (
    LIMITS,
    NO_GPU,
    Outcome,
    command_of_tests,
    machine,
    main,
    report,
    rows_of_tests,
    run_part,
    supervise,
)
from gpu_parts import PARTS


def test_without_a_gpu_it_does_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(gpu_check.shutil, "which", lambda _name: None)
    assert main(["--out", str(tmp_path / "out")]) == NO_GPU
    assert capsys.readouterr().out == "gpu-check: this machine has no GPU, so there is nothing to check\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("cuda", "words"), [(None, "built for the CPU"), ("13.0", "finds no GPU")])
def test_a_driver_without_a_usable_gpu_is_explained(
    cuda: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_check.shutil, "which", lambda _name: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(torch.version, "cuda", cuda)
    assert words in gpu_check.why_no_gpu()


def test_all_parts_have_limits_that_end_before_nine_minutes_are_over() -> None:
    assert LIMITS.keys() == {"tests", *PARTS}
    assert sum(LIMITS.values()) < 9 * 60


def test_the_tests_are_those_that_are_marked(tmp_path: Path) -> None:
    files = [Path(each).name for each in command_of_tests(tmp_path) if each.endswith(".py")]
    assert {"test_trainer.py", "test_cuda_recorder.py", "test_evaluate.py", "test_derived.py"} <= set(files)


@pytest.mark.parametrize(
    ("code", "state", "rows"),
    [
        ("write({'what': 'a', 'value': 1, 'ok': True})", "ok", 1),
        ("write({'what': 'a', 'value': 1, 'ok': False})", "failed", 1),
        ("pass", "failed", 0),
        ("write({'what': 'a', 'value': 1, 'ok': True}); raise SystemExit(2)", "failed", 1),
        ("write({'what': 'a', 'value': 1, 'ok': True}); import time; time.sleep(60)", "out of time", 1),
    ],
)
def test_each_end_of_a_part_is_told_apart_and_what_it_found_is_kept(
    code: str, state: str, rows: int, tmp_path: Path
) -> None:
    write = f"import json; write = lambda row: print(json.dumps(row), file=open({str(tmp_path / 'p.jsonl')!r}, 'w'))"
    began = time.monotonic()
    outcome = supervise("p", [sys.executable, "-c", f"{write}; {code}"], tmp_path, 5)
    assert time.monotonic() - began < 30
    assert (outcome.state, len(outcome.rows)) == (state, rows)


def test_a_part_for_which_no_time_is_left_is_not_run(tmp_path: Path) -> None:
    assert supervise("p", ["false"], tmp_path, 1).state == "not run"


def test_results_of_tests_name_those_that_failed(tmp_path: Path) -> None:
    case = '<testcase classname="t" name="{}">{}</testcase>'
    cases = (
        case.format("a", "") + case.format("b", '<failure message="no">x</failure>') + case.format("c", "<skipped/>")
    )
    (tmp_path / "tests.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    total, failed = rows_of_tests(tmp_path / "tests.xml")
    assert (total["value"], total["ok"]) == ("1 passed, 1 failed, 1 skipped", False)
    assert (failed["what"], failed["value"]) == ("t::b", "no")


def test_the_table_is_packed_with_the_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.log").write_text("words")
    outcomes = [Outcome("a", "ok", 1.0, [{"what": "speed", "value": 2.5}]), Outcome("b", "failed", 2.0, [], "why")]
    assert report(outcomes, machine(torch.device("cpu")), out) == 1
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        assert set(packed.namelist()) >= {"a.log", "table.json"}
        table = json.loads(packed.read("table.json"))
    assert [part["state"] for part in table["parts"]] == ["ok", "failed"]
    assert table["machine"]["torch"] == torch.__version__
    assert "not as it has to be: b\n" in capsys.readouterr().out
    assert report(outcomes[:1], {}, out) == 0


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_every_part_runs_on_a_cpu_at_tiny_sizes(part: str, tmp_path: Path) -> None:
    assert run_part(part, torch.device("cpu"), tmp_path, tiny=True) == 0
    rows = gpu_check.read_rows(tmp_path / f"{part}.jsonl")
    assert rows
    assert not [row for row in rows if row["ok"] is False]
