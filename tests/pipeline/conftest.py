"""A checkout with tiny settings in which the training flow has run once, for the tests that need all of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prefect_server import Server, serving
from tiny import Checkout, clean_environment, git, make_checkout


@pytest.fixture(scope="session")
def empty_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The checkout before anything ran in it."""
    folder = make_checkout(tmp_path_factory.mktemp("tiny") / "checkout")
    # One thread per process: the stages share two cores with other tests.
    return Checkout(folder, clean_environment() | {"OMP_NUM_THREADS": "1", "GIT_CONFIG_GLOBAL": os.devnull})


@pytest.fixture(scope="session")
def server(empty_checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prefect server; first_run uses it."""
    home = tmp_path_factory.mktemp("prefect")
    checkout = replace(empty_checkout, environment=empty_checkout.environment | {"PREFECT_HOME": str(home)})
    with serving(checkout, home) as server:
        yield server


@pytest.fixture(scope="session")
def first_run(empty_checkout: Checkout, server: Server) -> tuple[Checkout, str]:
    """The checkout, and what the flow printed on its first run: two stages at a time."""
    environment = empty_checkout.environment | {"PREFECT_API_URL": server.address}
    checkout = replace(empty_checkout, environment=environment)
    said = checkout.run("-m", "pipeline.flows.run", "--parallel", "2", timeout=900)
    git(checkout.folder, "add", "dvc.lock")
    git(checkout.folder, "commit", "--quiet", "--message", "first run")
    return checkout, said


@pytest.fixture
def checkout(first_run: tuple[Checkout, str]) -> Checkout:
    """The checkout as the first run left it."""
    checkout = first_run[0]
    checkout.restore()
    return checkout


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of the one checkout start first, because they take longest; their files give them to one worker."""
    items.sort(key=lambda item: "first_run" not in getattr(item, "fixturenames", ()))
