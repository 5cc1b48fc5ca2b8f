"""Smoke test: a registered model, loaded the way `mlflow models serve` loads it, must answer a request correctly."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ganops.errors import RegistryError
from ganops.registry.load import registered

CHECK = Path(__file__).with_name("smoke_check.py")
SECONDS = 300
# All that the process gets of the environment: what Python needs, and nothing secret.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "OMP_NUM_THREADS")


def smoke_test(uri: str, seconds: float = SECONDS) -> str:
    """Test the model at `uri` in a fresh process; the empty string when it works, else what is wrong.

    A model that hangs or crashes the interpreter fails the test and has no other effect.
    """
    try:
        package = registered(uri, signed=False).package
    except RegistryError as error:
        return error.in_short
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    # -P: the folder of the script must not become a place to import from.
    command = [sys.executable, "-P", str(CHECK), str(package)]
    with tempfile.TemporaryDirectory() as empty:
        try:
            done = subprocess.run(  # noqa: S603, fixed but for the package's path
                command,
                cwd=empty,
                env=environment | {"CUDA_VISIBLE_DEVICES": ""},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {seconds:g} seconds"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    return lines[-1][:500] if lines else f"the process ended with code {done.returncode}"
