"""The environment in which the pipeline's tools run: quiet, offline, and inside this checkout.

Whatever the user has set already stays as it is.
"""

from __future__ import annotations

import os
import sys
from configparser import ConfigParser
from contextlib import suppress
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

DEFAULTS = {
    # No usage statistics: nothing here calls home, so everything works where there is no network.
    "DO_NOT_TRACK": "true",  # Prefect and MLflow; MLflow takes only this very word
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Models are safetensors and code: a pickle that turns up in the registry must not be opened.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # Without this `mlflow ui` keeps a dozen idle processes for jobs that nobody here submits.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    # Threads that wait for each other sleep instead of spinning: on a machine that does other work besides, spinning
    # threads take the processor from the ones they wait for, and training falls to a tenth of its speed.
    "OMP_WAIT_POLICY": "PASSIVE",
    # Prefect's own files stay in the checkout, so that a user's other Prefect is left alone, and this one too.
    "PREFECT_HOME": str(ROOT / "prefect-home"),
    # Which run keeps a deployment's slot: in files, so that a server that was killed knows it when it starts again. By
    # default it forgets, and then no run of that deployment ever starts.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    # Without a server a flow starts a temporary one, which takes 10 s on an idle machine and more on a busy one.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # A progress line is some 100 characters: leave it the width that the names of flow and task would take.
    "PREFECT_LOGGING_FORMATTERS_STANDARD_FLOW_RUN_FMT": "%(asctime)s %(message)s",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_TASK_RUN_FMT": "%(asctime)s %(message)s",
    "PREFECT_LOGGING_FORMATTERS_STANDARD_DATEFMT": "%H:%M:%S",
}


def require_packages() -> None:
    """Leave with a word where this is another Python: DVC takes the `python` of PATH, whatever its own is."""
    if find_spec("torch") is None:
        sys.exit(
            f"error: {sys.executable} is not the Python of this project's environment: it has no torch\n"
            "  to do: run `. .venv/bin/activate` first, or begin the command with `.venv/bin/python -m pipeline`"
        )


def enter() -> None:
    """Set what is not set yet, and put this interpreter's tools first on PATH, where DVC finds `python`."""
    # Imported here: this checkout's, not the installed one.
    from ganops.credentials import hide_credentials
    from ganops.printing import print_anything
    from ganops.services import bypass_proxies_on_loopback

    print_anything()
    hide_credentials()
    bypass_proxies_on_loopback()
    _work_without_git()
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    tools = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if path[0] != tools:
        os.environ["PATH"] = os.pathsep.join([tools, *path])


def _work_without_git() -> None:
    """Where the sources were downloaded without a git repository, let DVC work without one; else undo that."""
    from ganops.atomic import write_text

    local = ROOT / ".dvc" / "config.local"
    settings = ConfigParser(interpolation=None)
    settings.read(local)
    without = not any((folder / ".git").exists() for folder in (ROOT, *ROOT.parents))
    if settings.getboolean("core", "no_scm", fallback=False) == without:
        return
    settings.read_dict({"core": {"no_scm": str(without).lower()}})
    text = StringIO()
    settings.write(text)
    with suppress(OSError):  # DVC reports a folder that cannot be written
        write_text(local, text.getvalue())
