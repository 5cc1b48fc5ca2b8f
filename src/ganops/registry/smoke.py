"""A smoke test of a registered model: loaded as `mlflow models serve` loads it, it must answer with real images."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ganops.tracking.store import Store

CHECK = Path(__file__).with_name("smoke_check.py")
SECONDS = 300


def smoke_test(store: Store, uri: str, seconds: float = SECONDS) -> str:
    """Test the model at `uri` in a fresh process; the empty string when it works, else what is wrong, in words.

    A model that hangs or crashes the interpreter fails the test and nothing else.
    """
    # -P: the folder of the script must not become a place to import from.
    command = [sys.executable, "-P", str(CHECK), uri]
    environment = os.environ | {"MLFLOW_TRACKING_URI": store.uri, "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(  # noqa: S603, the command is fixed but for the model's address
            command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {seconds:g} seconds"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    return lines[-1][:500] if lines else f"the process ended with code {done.returncode}"
