"""The pipeline says when it was started by a Python that has none of its packages."""

from __future__ import annotations

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
