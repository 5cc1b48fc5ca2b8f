"""What folders mean: nothing, splits or classes; and which images do not fit."""

from __future__ import annotations

import pytest

from ganops.data.layout import Layout, Place, class_names, read_layout
from ganops.data.listing import Candidate
from ganops.data.rejection import Reason, Rejection

NOWHERE = Place(None, None)


def layout(*names: str) -> Layout:
    return read_layout([Candidate(name, tuple(name.split("/"))) for name in names])


def misplaced(place: Place | Rejection) -> bool:
    return isinstance(place, Rejection) and place.reason is Reason.MISPLACED


def folders(found: Layout) -> list[str | None]:
    return [place.folder for place in found.places if isinstance(place, Place)]


def pair(folder: str) -> list[str]:
    return [f"{folder}/1.png", f"{folder}/2.png"]


def test_no_images_have_no_layout() -> None:
    assert layout() == Layout((), has_splits=False)


def test_images_in_no_folder_have_neither_split_nor_class() -> None:
    assert layout("a.png", "b.jpg") == Layout((NOWHERE, NOWHERE), has_splits=False)


def test_folders_are_classes() -> None:
    assert layout("dogs/1.png", *pair("cats"), "dogs/2.png").places == (
        *(Place(None, "dogs"), Place(None, "cats"), Place(None, "cats"), Place(None, "dogs")),
    )


def test_classes_are_in_alphabetical_order() -> None:
    assert class_names(["dogs", None, "cats", "dogs", "cats"]) == ("cats", "dogs")


@pytest.mark.parametrize("train", ["train", "Training"])
@pytest.mark.parametrize("test", ["test", "Test", "testing", "val", "valid", "validation"])
def test_train_and_test_are_splits_and_the_next_level_classes(train: str, test: str) -> None:
    found = layout(f"{train}/cats/1.png", f"{train}/dogs/1.png", f"{test}/cats/2.png", f"{test}/dogs/2.png")
    assert found.has_splits
    assert found.places == (
        *(Place("train", "cats"), Place("train", "dogs"), Place("test", "cats"), Place("test", "dogs")),
    )


def test_splits_may_hold_images_without_classes() -> None:
    assert layout("train/1.png", "test/2.png").places == (Place("train", None), Place("test", None))


def test_a_class_may_be_called_train() -> None:
    assert folders(layout(*pair("bus"), *pair("train"))) == ["bus", "bus", "train", "train"]


def test_folders_around_everything_mean_nothing() -> None:
    assert layout(*(f"set/v1/{split}/{name}/1.png" for split in ("train", "test") for name in "ab")).has_splits
    assert folders(layout(*pair("set/cats"), *pair("set/dogs"))) == ["cats", "cats", "dogs", "dogs"]
    assert layout(*pair("set/train")).places == (NOWHERE, NOWHERE)


@pytest.mark.parametrize("names", [("cats/1.png", "cats/2.png"), ("train/cats/1.png", "test/cats/2.png")])
def test_a_single_class_says_nothing(names: tuple[str, ...]) -> None:
    found = layout(*names)
    assert folders(found) == [None, None]


def test_images_outside_of_class_folders_do_not_fit() -> None:
    found = layout(*pair("cats"), *pair("dogs"), "loose.png")
    assert folders(found) == ["cats", "cats", "dogs", "dogs"]
    assert misplaced(found.places[4])


def test_an_image_outside_of_the_folder_of_all_others_does_not_hide_their_classes() -> None:
    found = layout("cover.png", *pair("pets/cats"), *pair("pets/dogs"))
    assert misplaced(found.places[0])
    assert folders(found) == ["cats", "cats", "dogs", "dogs"]


@pytest.mark.parametrize(
    "names",
    [
        ("1.png", "2.png", "3.png", "old/4.png", "older/5.png"),
        ("1.png", "old/2.png", "old/3.png"),
        ("a/1.png", "b/2.png", "c/3.png"),
        ("a/1.png", "b/2.png", "b/3.png"),
    ],
    ids=["most in no folder", "one folder", "one image each", "fewer than two on average"],
)
def test_folders_that_say_too_little_mean_nothing_and_all_images_are_used(names: tuple[str, ...]) -> None:
    assert layout(*names).places == (NOWHERE,) * len(names)


def test_a_class_may_have_a_single_image() -> None:
    assert folders(layout(*pair("cats"), "cats/3.png", "dogs/1.png")) == ["cats", "cats", "cats", "dogs"]


def test_what_lies_deeper_belongs_to_the_outermost_class_folder() -> None:
    assert folders(layout("cats/1.png", "cats/old/2.png", "dogs/a/1.png", "dogs/a/b/2.png")) == [
        *("cats", "cats", "dogs", "dogs"),
    ]


def test_what_lies_outside_of_the_splits_does_not_fit() -> None:
    found = layout("train/a/1.png", "train/b/1.png", "test/a/2.png", "test/b/2.png", "extra/a/3.png", "4.png")
    assert all(misplaced(place) for place in found.places[4:])


def test_of_test_and_val_only_test_is_used() -> None:
    found = layout("train/1.png", "test/2.png", "val/3.png")
    assert found.places[:2] == (Place("train", None), Place("test", None))
    assert misplaced(found.places[2])


def test_train_and_test_are_no_splits_where_most_images_lie_elsewhere() -> None:
    found = layout(*pair("train"), *pair("test"), *pair("bus"), *pair("car"), *pair("plane"))
    assert not found.has_splits
    assert "bus" in folders(found)
