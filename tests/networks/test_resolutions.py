"""The ladder of resolutions; missing and wrong networks; unknown kinds."""

from __future__ import annotations

import pytest

from ganops.errors import SettingsError
from ganops.networks.data_shapes import resolutions
from ganops.networks.network import NETWORKS, Discriminator, Generator, pick


@pytest.mark.parametrize(
    ("size", "ladder"),
    [(28, [7, 14, 28]), (32, [4, 8, 16, 32]), (48, [3, 6, 12, 24, 48]), (64, [4, 8, 16, 32, 64])],
)
def test_ladder_climbs_by_doubling(size: int, ladder: list[int]) -> None:
    assert resolutions(size) == ladder


def test_128_pixels_take_five_doublings() -> None:
    assert resolutions(128) == [4, 8, 16, 32, 64, 128]


@pytest.mark.parametrize(
    ("size", "lower", "upper"),
    [(9, 8, 10), (30, 28, 32), (37, 32, 40), (100, 96, 112), (218, 192, 224), (300, 256, 320), (1000, 896, 1024)],
)
def test_other_sizes_are_refused_with_the_nearest_two(size: int, lower: int, upper: int) -> None:
    with pytest.raises(SettingsError) as caught:
        resolutions(size)
    assert caught.value.code == "unsupported-size"
    assert str(size) in caught.value.found
    assert caught.value.action.endswith(f"to {lower} or {upper}")
    assert resolutions(lower)[-1] == lower
    assert resolutions(upper)[-1] == upper


def test_every_size_a_recipe_may_ask_for_is_accepted_or_has_two_neighbours_that_are() -> None:
    for size in range(8, 1025):
        try:
            assert resolutions(size)[-1] == size
        except SettingsError as error:
            *_, lower, _or, upper = error.action.split()
            assert 8 <= int(lower) < size < int(upper) <= 1024


def test_missing_network_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        pick({}, "generator", Generator)
    assert caught.value.code == "missing-network"
    assert "networks.generator" in caught.value.message


def test_network_with_another_interface_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        pick({"generator": Discriminator()}, "generator", Generator)
    assert caught.value.code == "wrong-network"
    assert (caught.value.expected, caught.value.found) == ("a Generator", "Discriminator")


def test_an_unknown_kind_or_key_comes_with_the_nearest_known_one() -> None:
    with pytest.raises(SettingsError) as caught:
        NETWORKS.settings({"kind": "dcgan-generater"}, "recipe")
    assert (caught.value.code, caught.value.found) == ("unknown-kind", "dcgan-generater")
    assert "'dcgan-generator'" in caught.value.action
    with pytest.raises(SettingsError) as caught:
        NETWORKS.settings({"width": 3}, "recipe")
    assert caught.value.code == "missing-key"
    with pytest.raises(SettingsError) as caught:
        NETWORKS.settings({"kind": "dcgan-generator", "widht": 3}, "recipe")
    assert "'width'" in caught.value.action
