"""Sources are known by name, each from a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganops.data.image_format import ImageFormat
from ganops.data.sources.source import SOURCES, SourceContext, find_source
from ganops.errors import SettingsError
from ganops.params import DataParams


def test_all_sources_are_known() -> None:
    names = [
        *("cifar10", "digits", "domains", "fashion-mnist", "glyphs", "glyphs-domains", "glyphs-pairs", "grid2d"),
        *("images", "mnist", "ring2d", "stacked-mnist"),
    ]
    assert SOURCES.names() == names
    for name in names:
        find_source(name)


def test_an_unknown_source_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(SettingsError) as error:
        find_source("mnits")
    assert (error.value.code, error.value.found) == ("unknown-kind", "mnits")
    assert "mnist" in error.value.action


def test_an_unknown_option_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(SettingsError) as error:
        find_source("glyphs", {"alphabet": ["digits"]})
    assert "alphabets" in error.value.action
    with pytest.raises(SettingsError) as error:
        find_source("digits", {"alphabets": ["digits"]})
    assert "data.options" in str(error.value)


def test_settings_beat_what_is_natural_one_by_one() -> None:
    def form(**settings: object) -> ImageFormat:
        params = DataParams.model_validate({"source": "digits", **settings})
        return SourceContext(params, Path(), Path()).image_format(ImageFormat(28, 1))

    assert form() == ImageFormat(28, 1)
    assert form(image_size=64) == ImageFormat(64, 1)
    assert form(channels=3) == ImageFormat(28, 3)


def test_sources_that_need_no_files_are_always_there(tmp_path: Path) -> None:
    assert find_source("digits").locate([tmp_path]) == []
    assert find_source("cifar10").locate([tmp_path]) is None
