"""The pipeline says when it was started by a Python that has none of its packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_another_python_ends_with_what_to_do_and_no_traceback() -> None:
    # -I -S: without site-packages, as a Python outside of the environment is; the checkout comes by hand.
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import runpy; runpy.run_module('pipeline.stages.train')"
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", start], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "no torch" in ended.stderr
    assert ". .venv/bin/activate" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sources_without_git_work_and_a_repository_made_later_counts(tmp_path: Path) -> None:
    """As after a download as zip: DVC stops without git unless it is asked to do without."""
    copy = tmp_path / "a copy"
    for name in ("pipeline", "src/ganops"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", ".dvc/config"):
        (copy / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    local = copy / ".dvc" / "config.local"
    local.write_text("['remote \"mine\"']\n    url = https://host/x\n    password = 50%\n")

    def stages() -> str:
        command = [sys.executable, "-m", "pipeline", "dvc", "dag", "--dot"]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    assert '"prepare"' in stages()
    assert "no_scm = true" in local.read_text()
    assert "50%" in local.read_text()
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    assert '"prepare"' in stages()
    assert "no_scm = false" in local.read_text()
