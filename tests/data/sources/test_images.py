"""Your own images: what is used, what is rejected and why, and which mistakes stop the work with a sentence."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collecting import collect
from image_files import encode, noise, png, write_files, write_zip
from PIL import Image

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.raw_dataset import RawDataset
from ganops.data.rejection import Reason
from ganops.errors import DataError, SettingsError


def collected(path: Path, **settings: Any) -> RawDataset:
    values = {"image_size": 16, "channels": 3, "test_share": 0.3, **settings}
    return collect("images", path.parent / "scratch", path=path, **values)


def used(images: RawDataset) -> int:
    return sum(len(rows) for rows in images.rows.values())


def reasons(images: RawDataset) -> dict[str, Reason]:
    return {each.name: each.reason for each in images.rejections}


def classes(images: RawDataset) -> tuple[str, ...]:
    label = images.fields.get("label")
    assert (label is None) == ("label" not in images.columns)
    return label.classes if isinstance(label, CategoryField) else ()


def counts(images: RawDataset) -> dict[str, list[int]]:
    """Images of each class in each split."""
    return {
        split: np.bincount(images.columns["label"][rows], minlength=len(classes(images))).tolist()
        for split, rows in images.rows.items()
    }


def code_of(path: Path, **settings: Any) -> str:
    with pytest.raises((DataError, SettingsError)) as error:
        collected(path, **settings)
    return error.value.code


def test_images_without_folders_have_no_labels(tmp_path: Path) -> None:
    images = collected(write_files(tmp_path / "mine", {f"{n}.png": png(n) for n in range(20)}))
    assert dict(images.fields) == {"image": ImageField(channels=3, size=16)}
    assert list(images.columns) == ["image"]
    assert images.split_by == "content"
    assert images.origin == "mine"
    assert used(images) == 20


def test_16_bit_pictures_that_would_be_nearly_black_stop_the_work_until_their_white_is_named(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (8, 16, 16), dtype=np.uint16)
    values[0, 0, 0] = 4095
    files = {f"{n}.png": encode(Image.fromarray(each), "PNG") for n, each in enumerate(values)}
    folder = write_files(tmp_path / "mine", {**files, "8.png": png(8)})
    with pytest.raises(DataError) as error:
        collected(folder)
    assert (error.value.code, error.value.found) == ("dim-16-bit", "at most 4095 in 8 pictures")
    assert "white: 4095" in error.value.action
    bright = collected(folder, channels=1, options={"white": 4095})
    assert np.sort(bright.columns["image"].mean(axis=(1, 2, 3)))[0] > 100
    dark = collected(folder, channels=1, options={"white": 65_535})
    assert np.sort(dark.columns["image"].max(axis=(1, 2, 3)))[:8].max() == 16
    assert code_of(folder, options={"image_labels": ["a", "b"]}) == "no-images", "indices are not light"


def test_a_few_dark_pictures_of_16_bits_stop_nothing(tmp_path: Path) -> None:
    dark = encode(Image.fromarray(np.full((16, 16), 4095, dtype=np.uint16)), "PNG")
    files = {f"{n}.png": png(n) for n in range(19)}
    assert used(collected(write_files(tmp_path / "mine", {**files, "dark.png": dark}))) == 20


def test_a_folder_and_its_zip_give_the_same(tmp_path: Path) -> None:
    files = {f"{'cats' if n % 2 else 'dogs'}/{n}.png": png(n) for n in range(20)}
    folder = collected(write_files(tmp_path / "mine", files))
    archive = collected(write_zip(tmp_path / "mine.zip", files))
    assert classes(folder) == classes(archive) == ("cats", "dogs")
    assert (folder.columns["image"] == archive.columns["image"]).all()
    assert all((folder.rows[split] == archive.rows[split]).all() for split in folder.rows)


def test_labels_belong_to_their_images(tmp_path: Path) -> None:
    reds = {f"red/{n}.png": encode(Image.new("RGB", (16, 16), (200 + n, 0, 0)), "PNG") for n in range(10)}
    greens = {f"green/{n}.png": encode(Image.new("RGB", (16, 16), (0, 200 + n, 0)), "PNG") for n in range(10)}
    images = collected(write_files(tmp_path / "mine", reds | greens))
    assert used(images) == 20
    for row in [*images.rows["train"], *images.rows["test"]]:
        red, green, _ = images.columns["image"][row].reshape(3, -1).mean(axis=1)
        assert classes(images)[images.columns["label"][row]] == ("red" if red > green else "green")


def test_given_splits_are_kept(tmp_path: Path) -> None:
    files = {f"{split}/{n}.png": png(n) for n in range(20) for split in ("train" if n < 12 else "test",)}
    images = collected(write_files(tmp_path / "mine", files), test_share=0.89)
    assert images.split_by == "folders"
    assert {split: len(rows) for split, rows in images.rows.items()} == {"train": 12, "test": 8}


def test_adding_files_never_moves_another(tmp_path: Path) -> None:
    def test_split(count: int) -> set[bytes]:
        folder = write_files(tmp_path / str(count), {f"{(7 * n) % 100:02}.png": png(n) for n in range(count)})
        images = collected(folder)
        return {images.columns["image"][row].transpose(1, 2, 0).tobytes() for row in images.rows["test"]}

    few, more = test_split(40), test_split(60)
    assert {each for each in more if each in {noise(n).tobytes() for n in range(40)}} == few
    assert 0 < len(few) < 40


def test_the_order_depends_on_the_contents_and_not_on_the_names(tmp_path: Path) -> None:
    one = collected(write_files(tmp_path / "one", {f"{n}.png": png(n) for n in range(20)}))
    two = collected(write_files(tmp_path / "two", {f"{99 - n}.png": png(n) for n in range(20)}))
    assert (one.columns["image"][one.rows["train"]] == two.columns["image"][two.rows["train"]]).all()


def test_every_bad_input_is_listed_with_its_reason_and_the_rest_is_used(tmp_path: Path) -> None:
    bad = {
        "README.txt": (b"cats", Reason.NOT_AN_IMAGE),
        "cats/notes.md": (b"# notes", Reason.NOT_AN_IMAGE),
        "cats/empty.png": (b"", Reason.EMPTY),
        "cats/cut.jpg": (encode(noise(100, 64), "JPEG")[:-300], Reason.DAMAGED),
        "cats/twin.png": (png(1), Reason.DUPLICATE),
        "cats/tw\x1bin.png": (png(102), Reason.UNREADABLE_NAME),
        "loose.png": (png(103), Reason.MISPLACED),
    }
    good = {f"{'cats' if n % 2 else 'dogs'}/{n:02}.png": png(n) for n in range(20)} | {"cats/old/deep.png": png(101)}
    images = collected(write_files(tmp_path / "mine", good | {name: content for name, (content, _) in bad.items()}))
    assert reasons(images) == {name: reason for name, (_, reason) in bad.items()}
    assert [each.name for each in images.rejections] == sorted(bad)
    assert used(images) == 21


def test_links_pipes_and_odd_names_are_listed_and_never_stop_anything(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "mine", {f"{n}.png": png(n) for n in range(8)})
    (folder / "dangling.png").symlink_to(folder / "missing.png")
    (folder / "loop").symlink_to("loop")
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.png")
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(png(8))
    images = collected(folder, max_rejected=0.0)
    assert reasons(images) == {
        "dangling.png": Reason.LINK,
        "loop": Reason.LINK,
        "up": Reason.LINK,
        "pipe.png": Reason.SPECIAL,
        os.fsdecode(b"caf\xe9.png"): Reason.UNREADABLE_NAME,
    }
    assert used(images) == 8


def test_duplicates_are_found_by_their_pixels_whatever_the_format(tmp_path: Path) -> None:
    image = noise(1)
    files = {"a.png": encode(image, "PNG"), "b.bmp": encode(image, "BMP"), "c.png": png(2)}
    images = collected(write_files(tmp_path / "mine", files))
    [rejection] = images.rejections
    assert (rejection.name, rejection.words) == ("b.bmp", "duplicate: the same pixels as a.png")


def test_a_duplicate_in_another_class_is_said_to_be_one(tmp_path: Path) -> None:
    files = {
        "cats/1.png": png(1),
        "cats/2.png": png(2),
        "dogs/1.png": png(1),
        "dogs/3.png": png(3),
        "dogs/4.png": png(4),
    }
    images = collected(write_files(tmp_path / "mine", files))
    [rejection] = images.rejections
    assert (rejection.name, rejection.reason) == ("dogs/1.png", Reason.DUPLICATE)
    assert "another class" in rejection.detail


def test_a_test_image_that_is_also_a_training_image_leaves_the_test(tmp_path: Path) -> None:
    files = {"train/1.png": png(1), "train/2.png": png(2), "test/1.png": png(1), "test/3.png": png(3)}
    assert reasons(collected(write_files(tmp_path / "mine", files))) == {"test/1.png": Reason.DUPLICATE}


def test_a_class_that_training_lacks_leaves_the_test(tmp_path: Path) -> None:
    names = [f"{split}/{name}/{n}.png" for split in ("train", "test") for name in ("cats", "dogs") for n in range(2)]
    files = {name: png(seed) for seed, name in enumerate([*names, "test/hens/1.png"])}
    images = collected(write_files(tmp_path / "mine", files))
    assert classes(images) == ("cats", "dogs")
    assert reasons(images) == {"test/hens/1.png": Reason.MISPLACED}


@pytest.mark.parametrize("classed", [True, False])
def test_eight_pictures_are_enough(tmp_path: Path, classed: bool) -> None:
    names = [f"{'cats/' if n % 2 else 'dogs/'}{n}.png" if classed else f"{n}.png" for n in range(8)]
    images = collected(write_files(tmp_path / "mine", {name: png(n) for n, name in enumerate(names)}), test_share=0.01)
    assert {split: len(rows) for split, rows in images.rows.items()} == {"train": 6, "test": 2}
    if classed:
        assert counts(images) == {"train": [3, 3], "test": [1, 1]}


def test_a_class_with_a_single_picture_is_trained_on_only(tmp_path: Path) -> None:
    files = {f"cats/{n}.png": png(n) for n in range(9)} | {"dogs/1.png": png(99)}
    images = collected(write_files(tmp_path / "mine", files), test_share=0.8)
    assert classes(images) == ("cats", "dogs")
    assert counts(images)["train"][1] == 1
    assert counts(images)["test"][1] == 0


def test_a_single_class_folder_gives_no_labels(tmp_path: Path) -> None:
    images = collected(write_files(tmp_path / "mine", {f"cats/{n}.png": png(n) for n in range(8)}))
    assert classes(images) == ()
    assert used(images) == 8


def test_a_class_without_a_usable_image_is_not_a_class(tmp_path: Path) -> None:
    files = {f"{name}/{name}{n}.png": png(ord(name) + 300 * n) for name in "ab" for n in range(5)}
    images = collected(write_files(tmp_path / "mine", files | {"c/broken.png": b"", "c/copy.png": files["a/a1.png"]}))
    assert classes(images) == ("a", "b")


def test_size_and_channels_are_chosen_from_the_images(tmp_path: Path) -> None:
    files = {f"{n}.png": png(n, size=50 + n) for n in range(5)} | {"notes.txt": b"text", "cut.png": png(1)[:30]}
    grey = {f"{n}.png": encode(noise(n, 30).convert("L").convert("RGB"), "PNG") for n in range(5)}
    auto = {"image_size": "auto", "channels": "auto"}
    colour = collected(write_files(tmp_path / "colour", files), **auto)
    assert colour.fields["image"] == ImageField(channels=3, size=48)
    assert collected(write_files(tmp_path / "grey", grey), **auto).fields["image"] == ImageField(channels=1, size=28)
    one = collected(tmp_path / "grey", image_size="auto", channels=3)
    assert one.fields["image"] == ImageField(channels=3, size=28)


def test_too_many_broken_images_stop_with_the_offenders_named(tmp_path: Path) -> None:
    files = {f"{n}.png": png(n) for n in range(9)} | {"a.png": b"", "b.txt": b"text", "c.txt": b""}
    folder = write_files(tmp_path / "mine", files)
    assert used(collected(folder, max_rejected=0.1)) == 9
    with pytest.raises(DataError) as error:
        collected(folder, max_rejected=0.09)
    assert (error.value.code, error.value.found) == ("too-many-rejected", "1 x empty file (a.png)")


@pytest.mark.parametrize(
    ("name", "code"), [("missing", "path-missing"), ("a.tar", "path-unsupported"), ("image.png", "path-unsupported")]
)
def test_a_path_that_is_neither_folder_nor_zip_is_an_error(tmp_path: Path, name: str, code: str) -> None:
    write_files(tmp_path, {"a.tar": b"text", "image.png": png(1)})
    assert code_of(tmp_path / name) == code


def test_a_zip_that_was_cut_short_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "mine.zip", {"a.png": png(1)})
    path.write_bytes(path.read_bytes()[:-30])
    assert code_of(path) == "archive-damaged"


@pytest.mark.parametrize(
    "files", [{}, {".DS_Store": b"1", ".git/a.png": b"1"}, {"a.txt": b"text"}, {"a.png": b"", "b.png": b""}]
)
@pytest.mark.parametrize("settings", [{}, {"image_size": "auto", "channels": "auto"}])
def test_without_usable_images_there_is_an_error(
    tmp_path: Path, files: dict[str, bytes], settings: dict[str, str]
) -> None:
    (tmp_path / "mine").mkdir()
    assert code_of(write_files(tmp_path / "mine", files), **settings) == "no-images"
    assert code_of(write_zip(tmp_path / "mine.zip", files), **settings) == "no-images"


def test_the_path_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        collect("images", tmp_path)
    assert error.value.code == "missing-key"


def test_a_slice_of_the_real_cifar_images(shared_datasets: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_datasets / "cifar10-images.zip") as whole:
        names = [name for name in whole.namelist() if name.endswith(("/0000.jpg", "/0001.jpg"))]
        path = write_zip(tmp_path / "slice.zip", {name: whole.read(name) for name in names})
    images = collected(path, image_size="auto", channels="auto", max_rejected=0.0)
    assert images.fields["image"] == ImageField(channels=3, size=32)
    assert counts(images) == {"train": [2] * 10, "test": [2] * 10}
