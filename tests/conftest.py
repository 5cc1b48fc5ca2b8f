"""What all tests share: where real data lie, where there are any beside the project."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_datasets() -> Path:
    """The folder of public data sets beside the checkout; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip("needs ../shared/datasets (MNIST and CIFAR-10 images), which is not on this machine")
    return folder


@pytest.fixture(scope="session")
def tracking_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables made, which takes seconds; tests work on copies of it."""
    from ganops.tracking.store import connect

    path = tmp_path_factory.mktemp("tracking") / "mlflow.db"
    connect(f"sqlite:///{path}")
    return path


@pytest.fixture
def tracking_home(tracking_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository root of its own with an empty tracking database, made the working directory."""
    home = tmp_path / "home"
    (home / ".dvc").mkdir(parents=True)
    shutil.copy(tracking_database, home / "mlflow.db")
    for variable in [name for name in os.environ if name.startswith(("MLFLOW_TRACKING", "MLFLOW_RUN", "DVC_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(home)
    return home
