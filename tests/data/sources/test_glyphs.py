"""Characters of shipped fonts: all readable, each once, and test characters that training never showed."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collecting import collect

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.glyphs import draw
from ganops.data.packed import Split
from ganops.data.prepare import prepare
from ganops.data.raw_dataset import RawDataset
from ganops.data.sources.source import find_source
from ganops.errors import SettingsError
from ganops.params import DataParams


def glyphs(tmp_path: Path, *alphabets: str, **settings: Any) -> RawDataset:
    return collect("glyphs", tmp_path, options={"alphabets": list(alphabets)}, **settings)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> RawDataset:
    return collect("glyphs-pairs", tmp_path_factory.mktemp("raw"), image_size=16)


def characters_of(pairs: RawDataset, split: Split) -> set[str]:
    field = pairs.fields["character"]
    assert isinstance(field, CategoryField)
    return {field.classes[index] for index in pairs.columns["character"][pairs.rows[split]]}


def test_each_character_is_drawn_in_many_fonts_and_each_picture_is_there_once(tmp_path: Path) -> None:
    found = glyphs(tmp_path, "digits")
    assert found.fields == {
        "image": ImageField(channels=1, size=32),
        "label": CategoryField(classes=tuple("0123456789")),
    }
    images, counts = found.columns["image"], np.bincount(found.columns["label"])
    assert counts.min() >= 24
    assert len({image.tobytes() for image in images}) == len(images) == counts.sum()
    assert sorted([*found.rows["train"], *found.rows["test"]]) == list(range(len(images)))
    assert (images.reshape(len(images), -1).max(axis=1) > 200).all(), "thin strokes are still bright"
    assert 0.02 < images.mean() / 255 < 0.3


def test_letters_stand_on_one_baseline_with_their_ink_centred() -> None:
    for letter in "HxE":
        picture = draw("DejaVuSans-Bold", letter, 64)
        assert picture is not None
        rows, columns = np.flatnonzero(picture.max(axis=1) > 100), np.flatnonzero(picture.max(axis=0) > 100)
        assert rows[-1] == 46
        assert abs(columns[0] - (63 - columns[-1])) <= 1
    descender = draw("DejaVuSans-Bold", "p", 64)
    assert descender is not None
    assert np.flatnonzero(descender.max(axis=1))[-1] > 52


def test_what_does_not_fit_or_has_no_ink_is_not_drawn() -> None:
    assert draw("DejaVuSans", " ", 32) is None
    assert draw("STIXGeneralBol", "ķ", 32) is None  # its comma hangs too low


def test_letters_that_look_like_earlier_ones_are_no_classes(tmp_path: Path) -> None:
    label = glyphs(tmp_path, "latin", "greek", image_size=16).fields["label"]
    assert isinstance(label, CategoryField)
    assert "A" in label.classes
    assert "Ω" in label.classes
    assert "Α" not in label.classes  # noqa: RUF001 - the Greek letter


def test_the_split_is_the_same_at_every_size_and_in_colour(tmp_path: Path) -> None:
    small, large = glyphs(tmp_path, "digits", image_size=24), glyphs(tmp_path, "digits", image_size=48, channels=3)
    assert large.columns["image"].shape[1:] == (3, 48, 48)
    assert (small.rows["test"] == large.rows["test"]).all()


def test_pairs_show_one_character_in_two_fonts(pairs: RawDataset) -> None:
    assert list(pairs.fields) == ["image", "source", "character"]
    classes = pairs.fields["character"].classes
    for row in (0, 17, 300):
        assert (pairs.columns["source"][row, 0] == draw("DejaVuSans", classes[row], 16)).all()
        assert (pairs.columns["image"][row, 0] == draw("DejaVuSerif-BoldItalic", classes[row], 16)).all()


def test_each_source_has_one_true_target(pairs: RawDataset) -> None:
    sources = pairs.columns["source"]
    assert len({source.tobytes() for source in sources}) == len(sources) > 1000


def test_test_characters_were_never_seen_in_training_not_even_with_other_marks(pairs: RawDataset) -> None:
    train, test = characters_of(pairs, "train"), characters_of(pairs, "test")
    bases = [{unicodedata.normalize("NFD", each)[0] for each in split} for split in (train, test)]
    assert not bases[0] & bases[1]
    assert 0.17 < len(test) / (len(train) + len(test)) <= 0.2


def test_look_alikes_of_other_alphabets_are_in_one_split(pairs: RawDataset) -> None:
    train = characters_of(pairs, "train")
    assert ("c" in train) == ("ҫ" in train) == ("ç" in train)


def test_fonts_can_be_chosen_and_a_wrong_name_is_an_error(tmp_path: Path) -> None:
    options = {"source_font": "cmr10", "target_font": "DejaVuSansMono", "alphabets": ["latin"]}
    assert len(collect("glyphs-pairs", tmp_path, image_size=16, options=options).columns["image"]) == 52
    for wrong in ({"source_font": "DejaVuSan"}, {"source_font": "DejaVuSerif-BoldItalic"}):
        with pytest.raises(SettingsError) as error:
            find_source("glyphs-pairs", wrong)
        assert "data.options" in str(error.value)


def test_the_same_settings_give_the_same_digest(tmp_path: Path) -> None:
    params = DataParams(source="glyphs-pairs", image_size=16, options={"alphabets": ["digits", "latin"]})
    first, second = prepare(params, tmp_path / "a"), prepare(params, tmp_path / "b")
    assert first == second
    assert first.spec.target == "image"
    assert first.class_counts == {}
