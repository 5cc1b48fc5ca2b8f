"""A person's own images: what is used, what is rejected and why, and which mistakes stop the work with a sentence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from image_files import encode, noise, png, write_files, write_zip
from PIL import Image

from ganops.data.image_format import ImageFormat
from ganops.data.raw_dataset import RawDataset
from ganops.data.rejection import Reason
from ganops.data.sources.images import collect
from ganops.errors import DataError

FORM = ImageFormat(16, 3)
ALL = 1.0  # the share of rejected files that is allowed where a test wants to look at them


def collected(
    path: Path, *, form: ImageFormat = FORM, test_share: float = 0.3, max_rejected: float = ALL
) -> RawDataset:
    return collect(path, form, test_share, max_rejected, path.parent / "room")


def used(images: RawDataset) -> int:
    return sum(len(rows) for rows in images.rows.values())


def reasons(images: RawDataset) -> dict[str, Reason]:
    return {each.name: each.reason for each in images.rejections}


def test_images_without_folders_have_no_labels(tmp_path: Path) -> None:
    images = collected(write_files(tmp_path / "mine", {f"{n}.png": png(n) for n in range(20)}))
    assert images.labels is None
    assert images.classes == ()
    assert images.split_by == "content"
    assert images.origin == "mine"
    assert used(images) == 20


def test_a_folder_and_its_zip_give_the_same(tmp_path: Path) -> None:
    files = {f"{'cats' if n % 2 else 'dogs'}/{n}.png": png(n) for n in range(20)}
    folder = collected(write_files(tmp_path / "mine", files))
    archive = collected(write_zip(tmp_path / "mine.zip", files))
    assert folder.classes == archive.classes == ("cats", "dogs")
    assert (folder.images == archive.images).all()
    assert all((folder.rows[split] == archive.rows[split]).all() for split in folder.rows)


def test_labels_belong_to_their_images(tmp_path: Path) -> None:
    reds = {f"red/{n}.png": encode(Image.new("RGB", (16, 16), (200 + n, 0, 0)), "PNG") for n in range(10)}
    greens = {f"green/{n}.png": encode(Image.new("RGB", (16, 16), (0, 200 + n, 0)), "PNG") for n in range(10)}
    images = collected(write_files(tmp_path / "mine", reds | greens))
    assert images.labels is not None
    assert used(images) == 20
    for row in [*images.rows["train"], *images.rows["test"]]:
        red, green, _ = images.images[row].reshape(3, -1).mean(axis=1)
        assert images.classes[images.labels[row]] == ("red" if red > green else "green")


def test_given_splits_are_kept(tmp_path: Path) -> None:
    files = {f"{split}/{n}.png": png(n) for n in range(20) for split in ("train" if n < 12 else "test",)}
    images = collected(write_files(tmp_path / "mine", files), test_share=0.9)
    assert images.split_by == "folders"
    assert {split: len(rows) for split, rows in images.rows.items()} == {"train": 12, "test": 8}


def test_adding_files_never_moves_another(tmp_path: Path) -> None:
    def test_split(count: int) -> set[bytes]:
        folder = write_files(tmp_path / str(count), {f"{(7 * n) % 100:02}.png": png(n) for n in range(count)})
        images = collected(folder)
        return {images.images[row].tobytes() for row in images.rows["test"]}

    few, more = test_split(40), test_split(60)
    originals = {noise(n).tobytes() for n in range(40)}
    as_file = {np.frombuffer(each, np.uint8).reshape(3, 16, 16).transpose(1, 2, 0).tobytes(): each for each in more}
    assert {each for pixels, each in as_file.items() if pixels in originals} == few
    assert 0 < len(few) < 40


def test_the_order_depends_on_the_contents_and_not_on_the_names(tmp_path: Path) -> None:
    one = collected(write_files(tmp_path / "one", {f"{n}.png": png(n) for n in range(20)}))
    two = collected(write_files(tmp_path / "two", {f"{99 - n}.png": png(n) for n in range(20)}))
    assert (one.images[one.rows["train"]] == two.images[two.rows["train"]]).all()


def test_every_bad_input_is_listed_with_its_reason_and_the_rest_is_used(tmp_path: Path) -> None:
    bad = {
        "README.txt": (b"cats", Reason.NOT_AN_IMAGE),
        "cats/notes.md": (b"# notes", Reason.NOT_AN_IMAGE),
        "cats/empty.png": (b"", Reason.EMPTY),
        "cats/cut.jpg": (encode(noise(100, 64), "JPEG")[:-300], Reason.DAMAGED),
        "cats/old/deep.png": (png(101), Reason.TOO_DEEP),
        "cats/twin.png": (png(1), Reason.DUPLICATE),
        "cats/tw\x1bin.png": (png(102), Reason.UNREADABLE_NAME),
        "loose.png": (png(103), Reason.MISPLACED),
    }
    good = {f"{'cats' if n % 2 else 'dogs'}/{n:02}.png": png(n) for n in range(20)}
    images = collected(write_files(tmp_path / "mine", good | {name: content for name, (content, _) in bad.items()}))
    assert reasons(images) == {name: reason for name, (_, reason) in bad.items()}
    assert [each.name for each in images.rejections] == sorted(bad)
    assert used(images) == 20


def test_duplicates_are_found_by_their_pixels_whatever_the_format(tmp_path: Path) -> None:
    image = noise(1)
    files = {"a.png": encode(image, "PNG"), "b.bmp": encode(image, "BMP"), "c.png": png(2)}
    images = collected(write_files(tmp_path / "mine", files))
    [rejection] = images.rejections
    assert (rejection.name, rejection.words) == ("b.bmp", "duplicate: the same pixels as a.png")


def test_a_duplicate_in_another_class_is_said_to_be_one(tmp_path: Path) -> None:
    images = collected(
        write_files(tmp_path / "mine", {"cats/1.png": png(1), "dogs/1.png": png(1), "dogs/2.png": png(2)})
    )
    assert images.rejections[0].words.endswith("the same pixels as cats/1.png, which is of another class")


def test_a_test_image_that_is_also_a_training_image_leaves_the_test(tmp_path: Path) -> None:
    files = {"train/1.png": png(1), "train/2.png": png(2), "test/1.png": png(1), "test/3.png": png(3)}
    assert reasons(collected(write_files(tmp_path / "mine", files))) == {"test/1.png": Reason.DUPLICATE}


def test_too_much_that_is_unusable_stops_with_the_offenders_named(tmp_path: Path) -> None:
    files = {f"{n}.png": png(n) for n in range(9)} | {"a.txt": b"text"}
    folder = write_files(tmp_path / "mine", files)
    assert used(collected(folder, max_rejected=0.1)) == 9
    with pytest.raises(DataError, match=r"1 x not an image \(a\.txt\)"):
        collected(folder, max_rejected=0.09)


def test_a_wrong_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        collected(tmp_path / "missing")


@pytest.mark.parametrize("name", ["images.tar", "image.png"])
def test_a_file_that_is_no_zip_is_an_error(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {name: png(1)})
    with pytest.raises(DataError, match="neither a folder nor a zip file"):
        collected(tmp_path / name)


def test_a_zip_that_was_cut_short_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "mine.zip", {"a.png": png(1)})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="damaged zip file"):
        collected(path)


@pytest.mark.parametrize("hidden", [{}, {".DS_Store": b"1", ".git/a.png": b"1"}])
def test_an_empty_folder_is_an_error(tmp_path: Path, hidden: dict[str, bytes]) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError, match="there are no images"):
        collected(write_files(tmp_path / "mine", hidden))


def test_an_empty_zip_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no images"):
        collected(write_zip(tmp_path / "mine.zip", {}))


def test_a_slice_of_the_real_cifar_images(shared_datasets: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_datasets / "cifar10-images.zip") as whole:
        names = [name for name in whole.namelist() if name.endswith(("/0000.jpg", "/0001.jpg"))]
        path = write_zip(tmp_path / "slice.zip", {name: whole.read(name) for name in names})
    images = collected(path, form=ImageFormat(32, 3), max_rejected=0.0)
    assert images.labels is not None
    assert len(images.classes) == 10
    for rows in images.rows.values():
        assert np.bincount(images.labels[rows]).tolist() == [2] * 10
