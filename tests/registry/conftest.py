"""One packaged model, made once; tests register it as often as they need, with the scores they need."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_model import save_small_model, small_params

from ganops.registry.package import log_package
from ganops.registry.versions import CHALLENGER, Versions, measured_tag
from ganops.tracking.run import start_run
from ganops.tracking.store import connect

Register = Callable[..., str]


@pytest.fixture(scope="session")
def packaged(tracking_database: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A database with one packaged model that no version has yet, and its address."""
    home = tmp_path_factory.mktemp("packaged")
    database = home / "mlflow.db"
    shutil.copy(tracking_database, database)
    (home / "card").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
        with start_run("tiny", params=small_params(), system_metrics=False) as run:
            uri = log_package(run.store, run.run_id, save_small_model(home / "model"), home / "card")
    return database, uri


@pytest.fixture
def register_version(packaged: tuple[Path, str], tracking_home: Path) -> Register:
    """Registers the packaged model once more as the next version, with the given scores, as challenger."""
    database, uri = packaged
    shutil.copy(database, tracking_home / "mlflow.db")
    versions = Versions(connect(), "ganops")

    def register(*, sick: bool = False, **scores: float) -> str:
        tags = {"recipe": "tiny", "sick": str(sick).lower(), "protocol": "d" * 64}
        protocol = {"digest": "d" * 64, "backbone": "classifier"}
        version = versions.create(uri, tags | measured_tag(scores, protocol), "a test's model")
        versions.point(CHALLENGER, version)
        return version

    return register
