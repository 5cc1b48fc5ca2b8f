"""Services of small saved models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from running_service import Running, running_service
from small_model import save_small_model


@pytest.fixture(scope="package")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of some hundred weights."""
    return save_small_model(tmp_path_factory.mktemp("served") / "tiny")


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts services that end with the test; see `running_service`."""
    with ExitStack() as stack:
        yield lambda model, **settings: stack.enter_context(running_service(model, **settings))


@pytest.fixture
def running(start: Callable[..., Running], model_folder: Path) -> Running:
    """A service of the small model."""
    return start(model_folder)
