"""What all tests share: where real data lie, where there are any beside the project."""

from __future__ import annotations

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
