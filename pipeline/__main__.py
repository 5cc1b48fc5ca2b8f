"""`python -m pipeline TOOL ...`: run dvc, mlflow, prefect or any other tool in the pipeline's environment."""

from __future__ import annotations

import os
import sys

if len(sys.argv) < 2:
    sys.exit("usage: python -m pipeline TOOL [ARGUMENT ...]    (dvc, mlflow, prefect, ganops, ...)")
try:
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - to run the tool that is asked for is all that this does
except FileNotFoundError:
    sys.exit(f"there is no tool called {sys.argv[1]} in this environment or on PATH")
