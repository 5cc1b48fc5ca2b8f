"""What folders mean: wrapping, splits, classes; and what fits nowhere."""

from __future__ import annotations

import pytest

from ganops.data.layout import Layout, Place, read_layout
from ganops.data.listing import Candidate
from ganops.data.rejection import Reason, Rejection


def layout(*names: str) -> Layout:
    return read_layout([Candidate(name, tuple(name.split("/"))) for name in names])


def reason(place: Place | Rejection) -> Reason:
    assert isinstance(place, Rejection)
    return place.reason


def test_images_in_no_folder_have_neither_split_nor_label() -> None:
    assert layout("a.png", "b.jpg") == Layout((), (Place(None, -1), Place(None, -1)), has_splits=False)


def test_folders_are_classes_in_alphabetical_order() -> None:
    found = layout("dogs/1.png", "cats/1.png", "cats/2.png")
    assert found.classes == ("cats", "dogs")
    assert found.places == (Place(None, 1), Place(None, 0), Place(None, 0))


@pytest.mark.parametrize("test", ["test", "Test", "val", "valid", "validation"])
def test_train_beside_test_are_splits_and_the_next_level_classes(test: str) -> None:
    found = layout("train/cats/1.png", "train/dogs/1.png", f"{test}/cats/2.png", f"{test}/dogs/2.png")
    assert found.has_splits
    assert found.classes == ("cats", "dogs")
    assert found.places == (Place("train", 0), Place("train", 1), Place("test", 0), Place("test", 1))


def test_splits_may_hold_images_without_classes() -> None:
    assert layout("train/1.png", "test/2.png").places == (Place("train", -1), Place("test", -1))


def test_a_class_may_be_called_train() -> None:
    assert layout("bus/1.png", "train/1.png").classes == ("bus", "train")


def test_folders_around_everything_mean_nothing() -> None:
    assert layout(
        "set/v1/train/a/1.png", "set/v1/train/b/1.png", "set/v1/test/a/2.png", "set/v1/test/b/2.png"
    ).has_splits
    assert layout("set/cats/1.png", "set/dogs/1.png").classes == ("cats", "dogs")
    assert layout("set/train/1.png", "set/train/2.png").places == (Place(None, -1),) * 2


@pytest.mark.parametrize("names", [("cats/1.png", "cats/2.png"), ("train/cats/1.png", "test/cats/2.png")])
def test_a_single_class_says_nothing(names: tuple[str, ...]) -> None:
    found = layout(*names)
    assert found.classes == ()
    assert all(isinstance(place, Place) and place.label == -1 for place in found.places)


def test_a_text_beside_the_folder_changes_nothing_for_the_images() -> None:
    found = layout("README.txt", "set/cats/1.png", "set/dogs/1.png")
    assert found.classes == ("cats", "dogs")
    assert reason(found.places[0]) is Reason.MISPLACED


def test_images_beside_class_folders_fit_nowhere() -> None:
    found = layout("cats/1.png", "dogs/1.png", "loose.png")
    assert found.classes == ("cats", "dogs")
    assert reason(found.places[2]) is Reason.MISPLACED


def test_one_folder_beside_images_is_no_class() -> None:
    found = layout("1.png", "2.png", "old/3.png")
    assert found.classes == ()
    assert [isinstance(place, Place) for place in found.places] == [True, True, False]


def test_what_lies_beside_the_splits_fits_nowhere() -> None:
    found = layout("train/a/1.png", "train/b/1.png", "test/a/2.png", "test/b/2.png", "extra/a/3.png", "4.png")
    assert [reason(place) for place in found.places[4:]] == [Reason.MISPLACED] * 2


def test_of_test_and_val_only_test_is_used() -> None:
    found = layout("train/1.png", "test/2.png", "val/3.png")
    assert found.places[:2] == (Place("train", -1), Place("test", -1))
    assert reason(found.places[2]) is Reason.MISPLACED


def test_folders_below_the_classes_fit_nowhere() -> None:
    found = layout("cats/1.png", "dogs/1.png", "dogs/old/2.png")
    assert reason(found.places[2]) is Reason.TOO_DEEP


def test_files_without_a_known_suffix_show_the_layout_where_there_are_no_others() -> None:
    assert layout("cats/1", "dogs/1").classes == ("cats", "dogs")
