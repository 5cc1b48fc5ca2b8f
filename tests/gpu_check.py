"""Everything that only a GPU can show, in one command and less than nine minutes: `make gpu-check`.

python tests/gpu_check.py [--out build/gpu-check] [--minutes 9] [--only PART ...]

Each part has its own process and its own time limit; a part that fails hides no other. Exit code 0: all as it has to
be; 1: not all; 3: there is no GPU, and nothing was done.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import torch

from ganops.devices import find_device
from ganops.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
NO_GPU = 3
# Seconds that each part may take; together less than nine minutes. `tests` are those marked `gpu`.
LIMITS = {
    **{"tests": 130, "resume": 50, "graphs": 55, "streamed": 30, "evaluation": 45},
    **{"dcgan": 40, "dcgan-64": 40, "stylegan2-256": 55, "r3gan": 45, "compiled": 35},
}


@dataclass
class Outcome:
    """How a part ended. rows: its findings, as gpu_parts.Row. words: the last lines of its log where it failed."""

    part: str
    state: Literal["ok", "failed", "out of time", "not run"]
    seconds: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    words: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gpu-check", help="for the table and the logs")
    parser.add_argument("--minutes", type=float, default=9.0, help="for all parts together")
    parser.add_argument("--only", nargs="+", choices=LIMITS, default=list(LIMITS), help="these parts alone")
    parser.add_argument("--part", choices=LIMITS, help=argparse.SUPPRESS)  # what a child process is asked for
    parser.add_argument("--device", default="auto", help=argparse.SUPPRESS)  # tests of this file name the CPU ...
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)  # ... and have little time
    options = parser.parse_args(arguments)
    device = find_device(options.device)
    if device.type == "cpu" and options.device == "auto":
        print(why_no_gpu(), flush=True)
        return NO_GPU
    if options.part:
        return run_part(options.part, device, options.out, tiny=options.tiny)
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    command = [sys.executable, __file__, "--out", str(options.out), "--device", str(device)]
    end = time.monotonic() + 60 * options.minutes
    outcomes = []
    for part in options.only:
        left = min(LIMITS[part], end - time.monotonic())
        print(f"{part}: at most {max(left, 0):.0f} s ...", flush=True)
        own = (
            command_of_tests(options.out)
            if part == "tests"
            else [*command, "--part", part, *["--tiny"][: options.tiny]]
        )
        outcomes.append(supervise(part, own, options.out, left))
        print_outcome(outcomes[-1])
    return report(outcomes, machine(device), options.out)


def why_no_gpu() -> str:
    """A sentence for a machine on which torch finds no GPU."""
    if shutil.which("nvidia-smi") is None:
        return "gpu-check: this machine has no GPU, so there is nothing to check"
    if torch.version.cuda is None:
        return (
            f"gpu-check: there is an NVIDIA driver, but torch {torch.__version__} is built for the CPU\n"
            "  to do: unset the package index that gives CPU builds, then rm -rf .venv && make gpu-check"
        )
    return (
        f"gpu-check: there is an NVIDIA driver, but torch {torch.__version__} finds no GPU\n"
        "  to do: check that `nvidia-smi` and CUDA_VISIBLE_DEVICES name one, and that the driver is new enough"
    )


def command_of_tests(out: Path) -> list[str]:
    """pytest on the files that have tests marked `gpu`, in four processes."""
    marked = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if "mark.gpu" in path.read_text("utf-8")]
    options = [
        "-m",
        "gpu",
        "-p",
        "no:cacheprovider",
        "--numprocesses",
        "4",
        "--tb",
        "short",
        f"--junitxml={out}/tests.xml",
    ]
    return [sys.executable, "-m", "pytest", *options, *map(str, marked)]


def supervise(part: str, command: Sequence[str], out: Path, seconds: float) -> Outcome:
    """Run a part in a process of its own, with its children ended when its time is over."""
    if seconds < 5:
        return Outcome(part, "not run", words="the time for all parts was over")
    began, log = time.monotonic(), out / f"{part}.log"
    with log.open("wb") as file:
        child = subprocess.Popen(command, stdout=file, stderr=file, cwd=ROOT, start_new_session=True)
        try:
            state: Literal["ok", "failed", "out of time"] = "ok" if child.wait(seconds) == 0 else "failed"
        except subprocess.TimeoutExpired:
            state = "out of time"
        finally:
            # Workers of a part that failed may live on, and would take time from the next one.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    rows = rows_of_tests(out / "tests.xml") if part == "tests" else read_rows(out / f"{part}.jsonl")
    words = "" if state == "ok" else "\n".join(log.read_text("utf-8", "replace").splitlines()[-25:])
    if state == "ok" and not rows:
        state, words = "failed", "it found nothing"
    if state == "ok" and any(row["ok"] is False for row in rows):
        state = "failed"
    return Outcome(part, state, time.monotonic() - began, rows, words)


def run_part(part: str, device: torch.device, out: Path, *, tiny: bool) -> int:
    """In the child: the rows of a part, each written as soon as it is found."""
    from gpu_parts import PARTS, Bench

    folder = out / f"{part}.scratch"
    try:
        with (out / f"{part}.jsonl").open("w", encoding="utf-8") as file:
            for row in PARTS[part](Bench(device, folder, tiny)):
                print(json.dumps(asdict(row)), file=file, flush=True)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows that a part has written so far."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []


def rows_of_tests(file: Path) -> list[dict[str, Any]]:
    """One row for all tests together, and one for each that did not pass."""
    if not file.is_file():
        return []
    cases = list(ElementTree.parse(file).getroot().iter("testcase"))
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    total = f"{len(cases) - len(bad) - skipped} passed, {len(bad)} failed, {skipped} skipped"
    rows = [{"what": "tests marked gpu", "value": total, "ok": not bad and skipped < len(cases)}]
    for case in bad:
        problem = case.find("failure") if case.find("failure") is not None else case.find("error")
        words = "" if problem is None else problem.get("message", "")
        rows.append({"what": f"{case.get('classname')}::{case.get('name')}", "value": words[:300], "ok": False})
    return rows


def machine(device: torch.device) -> dict[str, Any]:
    """What the findings hold for."""
    facts: dict[str, Any] = {
        **{"device": str(device), "python": platform.python_version(), "system": platform.platform()},
        **{"torch": torch.__version__, "cuda": torch.version.cuda, "cores": os.cpu_count(), "commit": _commit()},
    }
    if device.type == "cuda":
        found = torch.cuda.get_device_properties(device)
        facts |= {"gpu": found.name, "GiB": round(found.total_memory / 2**30), "gpus": torch.cuda.device_count()}
        facts |= {"capability": f"{found.major}.{found.minor}", "cudnn": torch.backends.cudnn.version()}
        facts["driver"] = _output(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    return facts


def _commit() -> str:
    dirty = " with changes" if _output(["git", "status", "--porcelain", "--untracked-files=no"]) else ""
    return _output(["git", "rev-parse", "--short", "HEAD"]) + dirty


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def print_outcome(outcome: Outcome) -> None:
    """A part's findings as lines of a table."""
    print(f"{outcome.part}: {outcome.state}, {outcome.seconds:.0f} s", flush=True)
    for row in outcome.rows:
        value = f"{row['value']:,.4g}" if isinstance(row["value"], float) else row["value"]
        mark = {True: "ok    ", False: "WRONG "}.get(row.get("ok"), "      ")
        ratio = f"  {row['ratio']:.2f} times {row['baseline']}" if row.get("ratio") else ""
        print(f"  {mark} {row['what']}: {value} {row.get('unit', '')}{ratio}", flush=True)
    for line in outcome.words.splitlines():
        print(f"    | {line}", flush=True)


def report(outcomes: list[Outcome], facts: Mapping[str, Any], out: Path) -> int:
    """Write the table, pack it with the logs, and say what to send back."""
    table = {"machine": dict(facts), "parts": [asdict(outcome) for outcome in outcomes]}
    (out / "table.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    packed = shutil.make_archive(str(out), "zip", out)
    bad = [outcome.part for outcome in outcomes if outcome.state != "ok"]
    print(f"\nmachine: {', '.join(f'{name} {value}' for name, value in facts.items())}")
    print(f"not as it has to be: {', '.join(bad)}" if bad else "all as it has to be")
    print(f"to send back: {packed} (the table as JSON and the logs of {len(outcomes)} parts)")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SettingsError as error:
        sys.exit(f"error: {error.describe()}")
