"""`python -m pipeline.flows.worker [OPTION ...]`: a worker of the pool `ganops`, once dead runs have been ended.

A machine that was restarted thus begins with a clean slate: no dead run keeps its slot, in Prefect or in MLflow.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from ganops.resolved import load_params
from ganops.workspace import WORKSPACE
from pipeline.flows.dead import end_dead_flow_runs, worker_name
from pipeline.flows.entry import check_server
from pipeline.stages.entry import run_stage

POOL = "ganops"


def main(*options: str) -> NoReturn:
    """End dead runs, and become Prefect's worker; `options` are further ones of `prefect worker start`."""
    check_server()
    from ganops.registry.sweep import sweep  # torch comes with it

    for line in [*end_dead_flow_runs(), *sweep(load_params(WORKSPACE.params))]:
        print(line, flush=True)
    command = ["prefect", "worker", "start", "--pool", POOL, "--name", worker_name(), *options]
    os.execvp(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 - this program's own words


if __name__ == "__main__":
    run_stage(main)
