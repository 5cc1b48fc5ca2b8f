"""A checkout with tiny settings in which the training flow has run once, for the tests that need all of it."""

from __future__ import annotations

import os

import pytest
from tiny import Checkout, clean_environment, git, make_checkout


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, str]:
    """The checkout, and what the flow printed on its first run: two stages at a time, no server, an empty start."""
    folder = make_checkout(tmp_path_factory.mktemp("tiny") / "checkout")
    # One thread per process: the stages share two cores with other tests.
    checkout = Checkout(folder, clean_environment() | {"OMP_NUM_THREADS": "1", "GIT_CONFIG_GLOBAL": os.devnull})
    said = checkout.run("-m", "pipeline.flows.training", "--parallel", "2", timeout=900)
    git(folder, "add", "dvc.lock")
    git(folder, "commit", "--quiet", "--message", "first run")
    return checkout, said


@pytest.fixture
def checkout(first_run: tuple[Checkout, str]) -> Checkout:
    """The checkout as the first run left it."""
    checkout = first_run[0]
    checkout.restore()
    return checkout


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of the one checkout go to one worker, and first, because they take longest."""
    whole = [item for item in items if "first_run" in getattr(item, "fixturenames", ())]
    for item in whole:
        item.add_marker(pytest.mark.xdist_group("pipeline"))
        item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item not in whole)
