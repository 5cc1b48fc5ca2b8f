"""MLflow's pages for this checkout: print the address of the runs, then serve them until Ctrl-C."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline.environment import enter


def main() -> None:
    """Serve the database of this checkout; where a server keeps the records, only say where its pages are."""
    enter()
    from ganops.params import read_params
    from ganops.tracking.location import LOCAL_PAGES, runs_page
    from ganops.tracking.store import connect
    from ganops.workspace import WORKSPACE

    store = connect()
    page = runs_page(store.uri, store.experiment(read_params(WORKSPACE.params).tracking.experiment))
    local = page.startswith(LOCAL_PAGES)
    print(f"MLflow{', ready in some seconds' if local else ''}: {page}", flush=True)
    if local:
        mlflow = str(Path(sys.executable).with_name("mlflow"))
        os.execv(mlflow, [mlflow, "ui", "--workers", "1", "--backend-store-uri", store.uri])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
