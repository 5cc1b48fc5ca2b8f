"""A training starts from the version that an address names at that moment, or from a folder, or it is an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from small_model import save_small_model

from ganops.errors import ModelError, RegistryError
from ganops.games.saved import digest_of
from ganops.registry.init_model import find_init_model
from ganops.registry.versions import CHAMPION, Versions
from ganops.tracking.store import connect


def test_an_alias_is_resolved_to_the_version_it_names_now(register_version: Callable[..., str]) -> None:
    versions = Versions(connect(), "ganops")
    for version in (register_version(), register_version()):
        versions.set_alias(CHAMPION, version)
        assert find_init_model("models:/ganops@champion").model == f"models:/ganops/{version}"
    first = find_init_model("models:/ganops/1")
    assert first.model == "models:/ganops/1"
    assert first.digest == digest_of(first.folder)


@pytest.mark.parametrize("address", ["models:/ganops@champion", "models:/ganops/3"])
def test_a_version_that_does_not_exist_is_an_error(tracking_home: Path, address: str) -> None:
    with pytest.raises(RegistryError) as error:
        find_init_model(address)
    assert error.value.code == "no-such-version"


@pytest.mark.parametrize(
    "address", ["models:/", "models:/ganops", "models:/ganops@", "models:/ganops/latest", f"models:/ganops/{10**18}"]
)
def test_other_addresses_are_refused(tracking_home: Path, address: str) -> None:
    with pytest.raises(RegistryError) as error:
        find_init_model(address)
    assert (error.value.code, error.value.found) == ("bad-address", address)


def test_a_folder_needs_no_registry_and_its_content_decides_its_digest(tmp_path: Path) -> None:
    folders = [save_small_model(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    a, b, c = (find_init_model(str(folder)) for folder in folders)
    assert a.folder == folders[0]
    assert a.digest == b.digest != c.digest


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        find_init_model(str(tmp_path))
    assert error.value.code == "no-such-model"
