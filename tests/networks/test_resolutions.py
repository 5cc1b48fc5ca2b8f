"""The ladder of resolutions, and what a game says when a network is missing or of the wrong sort."""

from __future__ import annotations

import pytest

from ganops.errors import SettingsError
from ganops.networks.network import NETWORKS, Discriminator, Generator, pick, resolutions


@pytest.mark.parametrize(
    ("size", "ladder"),
    [(28, [7, 14, 28]), (32, [4, 8, 16, 32]), (48, [3, 6, 12, 24, 48]), (64, [4, 8, 16, 32, 64])],
)
def test_ladder_climbs_by_doubling(size: int, ladder: list[int]) -> None:
    assert resolutions(size) == ladder


def test_128_pixels_take_five_doublings() -> None:
    assert resolutions(128) == [4, 8, 16, 32, 64, 128]


@pytest.mark.parametrize("size", [2, 9, 30, 37, 100])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(SettingsError, match="cannot be built by doubling"):
        resolutions(size)


def test_missing_network_is_named() -> None:
    with pytest.raises(SettingsError, match=r"networks\.generator is missing"):
        pick({}, "generator", Generator)


def test_network_of_the_wrong_sort_is_named() -> None:
    with pytest.raises(SettingsError, match=r"networks\.generator is of the wrong sort") as caught:
        pick({"generator": Discriminator()}, "generator", Generator)
    assert caught.value.expected == "generator"
    assert caught.value.found == "Discriminator"


def test_kinds_name_the_nearest_one() -> None:
    with pytest.raises(SettingsError, match=r"there is no network 'dcgan-generater'.*\n.*mean 'dcgan-generator'"):
        NETWORKS.settings({"kind": "dcgan-generater"}, "recipe")
    with pytest.raises(SettingsError, match="key 'kind' is missing"):
        NETWORKS.settings({"width": 3}, "recipe")
    with pytest.raises(SettingsError, match=r"unknown key 'widht'.*\n.*\n.*did you mean 'width'"):
        NETWORKS.settings({"kind": "dcgan-generator", "widht": 3}, "recipe")
