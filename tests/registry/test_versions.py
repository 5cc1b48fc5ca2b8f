"""Aliases and tags of a registered model are written whole, whoever else writes them at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
