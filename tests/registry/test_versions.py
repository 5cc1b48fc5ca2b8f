"""Aliases and tags of a registered model are written whole, whoever else writes them at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import pytest
from mlflow.exceptions import MlflowException

from ganops.errors import RegistryError
from ganops.registry.versions import Versions
from ganops.tracking.store import connect

NAMES = {f"name-{turn}" for turn in range(30)}


def at_once(write: Callable[[str], None]) -> None:
    """Two writers of the same new names, each name at the same moment; raises what either of them raised."""
    with ThreadPoolExecutor(2) as pool:
        for name in NAMES:
            list(pool.map(write, (name, name)))


def test_two_who_set_a_new_alias_at_once_both_succeed(tracking_home: Path) -> None:
    versions = Versions(connect(), "ganops")
    versions.store.client.create_registered_model("ganops")
    version = versions.store.client.create_model_version("ganops", str(tracking_home)).version
    at_once(lambda alias: versions.set_alias(alias, version))
    assert {versions.at(alias) for alias in NAMES} == {str(version)}


def test_two_who_set_a_new_tag_at_once_both_succeed(tracking_home: Path) -> None:
    versions = Versions(connect(), "ganops")
    versions.store.client.create_registered_model("ganops")
    at_once(lambda key: versions.set_tag(key, "value"))
    assert versions.tags() == dict.fromkeys(NAMES, "value")


@pytest.mark.parametrize(
    ("words", "status", "action"),
    [("PERMISSION_DENIED: no", 75, "MLFLOW_TRACKING_TOKEN"), ("database disk image is malformed", 1, "ganops restore")],
)
def test_a_store_in_trouble_is_not_said_to_lack_versions(
    tracking_home: Path, words: str, status: int, action: str
) -> None:
    del tracking_home
    store = connect()
    versions = Versions(store, "ganops")
    store.client.search_model_versions = Mock(side_effect=MlflowException(words))  # type: ignore[method-assign]
    with pytest.raises(RegistryError) as error:
        versions.any()
    assert (error.value.code, error.value.exit_code) == ("registry-refused", status)
    assert action in error.value.action
