"""Folders A and B: where they may stand, what they mean together with splits and classes, and which pictures match."""

from __future__ import annotations

import pytest

from ganops.data.listing import Candidate
from ganops.data.rejection import Reason
from ganops.data.sides import Sides, match, read_sides


def sides(*names: str) -> Sides | None:
    return read_sides([Candidate(name, tuple(name.split("/"))) for name in names])


def certain(*names: str) -> Sides:
    found = sides(*names)
    assert found is not None
    return found


def parts(found: Sides) -> tuple[list[str], list[str]]:
    a, b = (["/".join(each.parts) for each in side] for side in (found.a, found.b))
    return a, b


@pytest.mark.parametrize("around", ["", "set/", "set/v1/"])
def test_a_and_b_are_sides_whatever_is_around_them(around: str) -> None:
    assert parts(certain(f"{around}A/1.png", f"{around}B/1.jpg")) == (["1.png"], ["1.jpg"])


@pytest.mark.parametrize("pattern", ["{}/{}", "{}{}", "{}_{}", "{1}/{0}"])
@pytest.mark.parametrize("test", ["test", "Test", "val"])
def test_a_split_stands_before_or_after_the_side_or_in_its_name(pattern: str, test: str) -> None:
    names = [f"{pattern.format(split, side)}/cat/1.png" for side in "AB" for split in ("train", test)]
    a, b = parts(certain(*names))
    assert [each.casefold() for each in a] == [f"train/cat/{1}.png", f"{test.casefold()}/cat/1.png"]
    assert a == b


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("1.png", "2.png"),
        ("A/1.png", "A/2.png"),
        ("a/1.png", "b/1.png"),
        ("A/1.png", "B/1.png", "C/1.png"),
        ("A/1.png", "B/1.png", "3.png", "4.png"),
        ("cat/A.png", "dog/B.png"),
        ("trainA.png", "trainB.png"),
    ],
)
def test_other_folders_are_no_sides(names: tuple[str, ...]) -> None:
    assert sides(*names) is None


def test_what_lies_outside_does_not_fit() -> None:
    found = certain("set/A/1.png", "set/B/1.png", "set/cover.png")
    assert [(each.name, each.reason) for each in found.outside] == [("set/cover.png", Reason.MISPLACED)]


def test_equal_names_are_pairs_and_the_rest_is_listed() -> None:
    found = certain("A/x/1.png", "A/x/2.png", "A/y/2.png", "B/x/1.jpg", "B/x/2.png", "B/z/2.png")
    pairs = match(found)
    assert found.are_pairs
    assert [(a.name, b.name) for a, b in pairs.rows] == [("A/x/1.png", "B/x/1.jpg"), ("A/x/2.png", "B/x/2.png")]
    assert sorted(each.name for each in pairs.rejections) == ["A/y/2.png", "B/z/2.png"]
    assert {each.reason for each in pairs.rejections} == {Reason.UNMATCHED}


def test_of_two_files_of_one_name_the_image_is_used() -> None:
    pairs = match(certain("A/1.json", "A/1.png", "B/1.png"))
    assert [(a.name, b.name) for a, b in pairs.rows] == [("A/1.png", "B/1.png")]
    assert [each.name for each in pairs.rejections] == ["A/1.json"]


def test_mostly_different_names_are_no_pairs() -> None:
    assert not certain("A/1.png", "A/2.png", "A/3.png", "B/3.png", "B/4.png", "B/5.png").are_pairs
    assert certain("A/1.png", "B/1.png", "B/2.png", "B/3.png").are_pairs
