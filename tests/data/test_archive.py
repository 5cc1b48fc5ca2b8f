"""A zip file is read where it lies; entries that attack, lie or cannot be read are rejected one by one."""

from __future__ import annotations

import pickle
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from image_files import write_zip

from ganops.data.archive import Archive
from ganops.data.decode import MAX_BYTES
from ganops.data.rejection import Reason, RefusedError, Rejection
from ganops.errors import DataError


def rejections(path: Path) -> list[Rejection]:
    return Archive(path).scan().rejections


def test_entries_are_listed_and_read(tmp_path: Path) -> None:
    archive = Archive(
        write_zip(tmp_path / "a.zip", {"cats/": b"", "cats/a.png": b"1", "./b.png": b"2", "win\\c.png": b"3"})
    )
    parts = {each.name: each.parts for each in archive.scan().candidates}
    assert parts == {"cats/a.png": ("cats", "a.png"), "./b.png": ("b.png",), "win\\c.png": ("win", "c.png")}
    assert [archive.read(name) for name in parts] == [b"1", b"2", b"3"]


def test_entries_that_name_no_file_are_ignored(tmp_path: Path) -> None:
    listing = Archive(write_zip(tmp_path / "a.zip", {".": b"1", "a.png": b"1"})).scan()
    assert [each.name for each in listing.candidates] == ["a.png"]
    assert listing.rejections == []


def test_hidden_entries_are_ignored_quietly(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"__MACOSX/cats/._a.png": b"1", "cats/.DS_Store": b"1", "cats/a.png": b"1"})
    listing = Archive(path).scan()
    assert [each.name for each in listing.candidates] == ["cats/a.png"]
    assert listing.rejections == []


@pytest.mark.parametrize(
    "name", ["../a.png", "cats/../../a.png", "/etc/a.png", "C:\\a.png", "..\\a.png", "\\\\host\\a.png"]
)
def test_entries_that_point_outside_are_rejected(tmp_path: Path, name: str) -> None:
    assert rejections(write_zip(tmp_path / "a.zip", {name: b"1"})) == [Rejection(name, Reason.OUTSIDE)]


def test_links_are_rejected(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert rejections(tmp_path / "a.zip") == [Rejection("link.png", Reason.LINK)]


def test_encrypted_entries_are_rejected(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": b"1", "b.png": b"2"})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # where both headers keep the flags
        content[content.index(signature) + offset] |= 0x1
    path.write_bytes(content)
    assert rejections(path) == [Rejection("a.png", Reason.ENCRYPTED)]


def test_control_characters_in_names_are_rejected(tmp_path: Path) -> None:
    [rejection] = rejections(write_zip(tmp_path / "a.zip", {"esc\x1b[2J.png": b"1"}))
    assert rejection.reason is Reason.UNREADABLE_NAME


def test_an_entry_that_declares_a_huge_size_is_rejected_unread(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"zeros.png": b"1"})
    declare_size(path, MAX_BYTES + 1)
    assert [each.reason for each in rejections(path)] == [Reason.TOO_LARGE]


def test_an_entry_that_unpacks_to_more_than_it_declares_is_cut_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.png", bytes(1_000_000))
    declare_size(path, 10)
    assert refused(path, "zeros.png").reason is Reason.DAMAGED


def test_a_damaged_entry_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": b"first content", "b.png": b"second content"})
    path.write_bytes(path.read_bytes().replace(b"first content", b"wrong content"))
    assert refused(path, "a.png").reason is Reason.DAMAGED
    assert Archive(path).read("b.png") == b"second content"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_without_a_bound_are_rejected(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.png", b"1")
    assert [each.reason for each in rejections(tmp_path / "a.zip")] == [Reason.UNREADABLE]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_entries_with_one_name_the_later_counts_as_when_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"old")
        archive.writestr("a.png", b"new")
    archive = Archive(tmp_path / "a.zip")
    assert [each.name for each in archive.scan().candidates] == ["a.png"]
    assert [each.reason for each in archive.scan().rejections] == [Reason.DUPLICATE]
    assert archive.read("a.png") == b"new"


def test_a_damaged_table_of_contents_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": b"1"})
    path.write_bytes(path.read_bytes().replace(b"PK\x01\x02", b"XX\x01\x02"))
    with pytest.raises(DataError) as error:
        Archive(path).scan()
    assert error.value.code == "archive-damaged"


def test_an_opened_archive_can_be_sent_to_another_process(tmp_path: Path) -> None:
    archive = Archive(write_zip(tmp_path / "a.zip", {"a.png": b"1"}))
    archive.scan()
    assert pickle.loads(pickle.dumps(archive)).read("a.png") == b"1"


def declare_size(path: Path, size: int) -> None:
    """Make both headers of the only entry tell this size, whatever it unpacks to."""
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(signature) + offset, size)
    path.write_bytes(content)


def refused(path: Path, name: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        Archive(path).read(name)
    return caught.value
