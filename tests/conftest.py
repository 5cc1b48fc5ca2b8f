"""What all tests share: fixtures for data sets, tracking and the registry."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Before torch is imported: tests compare bits with those of child processes, and bits follow the number of threads.
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests come first, so that the workers end together; those marked `gpu` skip without a CUDA device."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device, which is not on this machine"))


@pytest.fixture(scope="session")
def shared_datasets() -> Path:
    """The folder of public data sets next to the checkout; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip("needs ../shared/datasets (MNIST and CIFAR-10 images), which is not on this machine")
    return folder


@pytest.fixture(scope="session")
def tracking_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables made, which takes seconds; tests use copies of it."""
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


def carry_short_source(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """From now on models carry two files of the source, not four hundred; they cannot be started."""
    from ganops.registry import package

    short = folder / "short" / "ganops"
    short.mkdir(parents=True)
    for name in ("__init__.py", "errors.py"):
        shutil.copy(package.SOURCE / name, short)
    patch.setattr(package, "SOURCE", short)


@pytest.fixture
def short_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that register many models and start none."""
    carry_short_source(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def packaged(tracking_database: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A database with one packaged model that no version has yet, and its address; it cannot be started."""
    from small_model import save_small_model, small_params

    from ganops.registry.package import log_package
    from ganops.tracking.run import start_run

    home = tmp_path_factory.mktemp("packaged")
    database = home / "mlflow.db"
    shutil.copy(tracking_database, database)
    (home / "card").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
        carry_short_source(home, patch)
        with start_run("tiny", params=small_params(), system_metrics=False) as run:
            uri = log_package(run.store, run.run_id, save_small_model(home / "model"), home / "card")
    return database, uri


@pytest.fixture
def register_version(packaged: tuple[Path, str], tracking_home: Path) -> Callable[..., str]:
    """Registers the packaged model once more as the next version, with the given scores, as challenger."""
    from small_model import small_scores

    from ganops.registry.versions import CHALLENGER, Versions, measured_tag, protocol_digest
    from ganops.tracking.store import connect

    database, uri = packaged
    shutil.copy(database, tracking_home / "mlflow.db")
    versions = Versions(connect(), "ganops")

    def register(*, unhealthy: bool = False, protocol: str = "p", **values: float) -> str:
        scores = small_scores(protocol, **values)
        tags = {"recipe": "tiny", "unhealthy": str(unhealthy).lower(), "protocol": protocol_digest(scores)}
        version = versions.create(uri, tags | {"metric": "fid"} | measured_tag(scores))
        versions.set_alias(CHALLENGER, version)
        return version

    return register
