"""A folder is listed whole, links are never followed, and every entry is either a candidate, rejected, or hidden."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from image_files import write_files

from ganops.data import folder as folder_module
from ganops.data.folder import Folder
from ganops.data.rejection import Reason, RefusedError, Rejection
from ganops.errors import DataError


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in Folder(folder).scan().candidates)


def rejections(folder: Path) -> list[Rejection]:
    return sorted(Folder(folder).scan().rejections, key=lambda each: each.name)


def test_files_of_all_folders_are_listed_by_their_relative_names(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": b"1", "cats/b.png": b"2", "cats/old/c.png": b"3"})
    listing = Folder(tmp_path).scan()
    assert {each.name: each.parts for each in listing.candidates} == {
        "a.png": ("a.png",),
        "cats/b.png": ("cats", "b.png"),
        "cats/old/c.png": ("cats", "old", "c.png"),
    }
    assert Folder(tmp_path).read("cats/old/c.png") == b"3"


def test_what_desktops_leave_behind_is_neither_listed_nor_rejected(tmp_path: Path) -> None:
    litter = ("._a.png", ".DS_Store", "__MACOSX/cats/a.png", "Thumbs.db", "desktop.ini", ".git/x.png")
    write_files(tmp_path, dict.fromkeys([*litter, "a.png"], b"1"))
    assert names(tmp_path) == ["a.png"]
    assert rejections(tmp_path) == []


def test_links_are_rejected_and_the_reason_says_where_they_point(tmp_path: Path) -> None:
    outside = write_files(tmp_path / "outside", {"secret.png": b"1"})
    root = write_files(tmp_path / "images", {"cats/a.png": b"1"})
    (root / "back").symlink_to(root)
    (root / "cats" / "inside.png").symlink_to(root / "cats" / "a.png")
    (root / "itself").symlink_to(root / "itself")
    (root / "leaving").symlink_to(outside)
    (root / "leaving.png").symlink_to(outside / "secret.png")
    (root / "nowhere.png").symlink_to(root / "missing.png")
    assert names(root) == ["cats/a.png"]
    assert [(each.name, each.reason, each.detail) for each in rejections(root)] == [
        ("back", Reason.LINK, "points back to a folder that contains it"),
        ("cats/inside.png", Reason.LINK, "points to cats/a.png, which is read anyway"),
        ("itself", Reason.LINK, "points nowhere, or to itself"),
        ("leaving", Reason.LINK, "points outside of the folder"),
        ("leaving.png", Reason.LINK, "points outside of the folder"),
        ("nowhere.png", Reason.LINK, "points nowhere, or to itself"),
    ]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    write_files(tmp_path / "images", {"a.png": b"1"})
    (tmp_path / "link").symlink_to(tmp_path / "images")
    assert names(tmp_path / "link") == ["a.png"]


def test_undecodable_bytes_and_control_characters_in_names_are_rejected(tmp_path: Path) -> None:
    for name in (b"caf\xe9.png", b"bell\x07.png", b"two\nlines.png"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"1")
    write_files(tmp_path, {"café ☕\u202f1.png": b"1"})  # unusual, but text
    assert names(tmp_path) == ["café ☕\u202f1.png"]
    assert [each.reason for each in rejections(tmp_path)] == [Reason.UNREADABLE_NAME] * 3


def test_pipes_and_sockets_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.png"))
        assert [each.reason for each in rejections(tmp_path)] == [Reason.SPECIAL] * 2


def test_forbidden_files_and_folders_are_rejected(public_folder: Path) -> None:
    write_files(public_folder, {"a.png": b"1", "closed/b.png": b"2"})
    (public_folder / "a.png").chmod(0)
    (public_folder / "closed").chmod(0)
    with without_privileges():
        assert rejections(public_folder) == [Rejection("closed", Reason.PERMISSION)]
        with pytest.raises(RefusedError) as caught:
            Folder(public_folder).read("a.png")
    (public_folder / "closed").chmod(0o700)
    assert caught.value.reason is Reason.PERMISSION


def test_a_root_that_may_not_be_read_is_an_error(public_folder: Path) -> None:
    public_folder.chmod(0)
    with without_privileges(), pytest.raises(DataError) as error:
        Folder(public_folder).scan()
    assert error.value.code == "path-unreadable"


def test_a_file_that_vanished_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        Folder(tmp_path).read("gone.png")
    assert (caught.value.reason, caught.value.detail) == (Reason.UNREADABLE, "No such file or directory")


def test_a_huge_file_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(folder_module.MAX_BYTES + 1)  # a hole, which takes no room on the disk
    with pytest.raises(RefusedError) as caught:
        Folder(tmp_path).read("huge.png")
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that any user may reach; pytest's own are closed to others, and to root nothing is forbidden."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o700)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Act as the user `nobody` where the tests run as root, for whom nothing is forbidden."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
