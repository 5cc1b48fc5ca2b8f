"""A prepared folder is whole or has no manifest, and its manifest says what is in it and what was left out."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from image_files import encode, noise, png, write_files
from PIL import Image

from ganops.data import prepare as preparing
from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import read_packed, split_path
from ganops.data.prepare import prepare
from ganops.errors import DataError, SettingsError
from ganops.params import DataParams


def params(**changes: Any) -> DataParams:
    values = {"source": "digits", "image_size": 16, "channels": 1, "test_share": 0.2, "max_rejected": 0.5}
    return DataParams.model_validate(values | changes)


def images_of(path: Path, **changes: Any) -> DataParams:
    return params(source="images", path=path, channels=3, **changes)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two classes of 20 images."""
    return write_files(tmp_path / "mine", {f"{'cats' if n % 2 else 'dogs'}/{n:02}.png": png(n) for n in range(40)})


def test_digits_are_packed_with_their_manifest(tmp_path: Path) -> None:
    manifest = prepare(params(image_size=32), tmp_path)
    assert manifest == read_manifest(tmp_path)
    assert manifest.spec.field("image", ImageField).shape == (1, 32, 32)
    train, test = read_packed(tmp_path, "train"), read_packed(tmp_path, "test")
    assert manifest.counts == {"train": len(train), "test": len(test)}
    assert len(train) + len(test) == 1797
    for split, data in (("train", train), ("test", test)):
        assert list(data) == ["image", "label"]
        assert list(manifest.class_counts[split].values()) == torch.bincount(data["label"]).tolist()


def test_own_images_are_packed_and_what_was_left_out_is_listed(tmp_path: Path, pictures: Path) -> None:
    write_files(pictures, {"cats/notes.txt": b"text", "cats/copy.png": png(0), "dogs/cut.png": png(50)[:-100]})
    manifest = prepare(images_of(pictures), tmp_path / "out")
    assert (manifest.source, manifest.origin, manifest.split_by) == ("images", "mine", "content")
    assert manifest.spec.classes == ("cats", "dogs")
    assert sum(manifest.counts.values()) == 40
    assert manifest.rejected_count == 3
    assert manifest.rejected_reasons == {"duplicate": 1, "not an image": 1, "truncated or damaged": 1}
    # cats/copy.png comes first by name, so dogs/00.png is the duplicate.
    assert [each.name for each in manifest.rejected] == ["cats/notes.txt", "dogs/00.png", "dogs/cut.png"]


def test_without_classes_there_are_no_labels(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "mine", {f"{n}.png": png(n) for n in range(20)})
    manifest = prepare(images_of(folder), tmp_path / "out")
    assert manifest.spec.classes == ()
    assert manifest.class_counts == {}
    assert list(read_packed(tmp_path / "out", "train")) == ["image"]


def test_one_process_or_two_give_the_same_bytes(tmp_path: Path, pictures: Path) -> None:
    write_files(pictures, {"cats/notes.txt": b"text"})
    one = prepare(images_of(pictures), tmp_path / "one", processes=1)
    two = prepare(images_of(pictures), tmp_path / "two", processes=2)
    assert one == two
    for name in ("train/rows.safetensors", "test/rows.safetensors", "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_one_changed_pixel_changes_the_digest(tmp_path: Path, pictures: Path) -> None:
    before = prepare(images_of(pictures), tmp_path / "before")
    image = noise(3)
    image.putpixel((5, 5), (1, 2, 3))
    (pictures / "cats" / "03.png").write_bytes(encode(image, "PNG"))
    after = prepare(images_of(pictures), tmp_path / "after")
    assert sum(before.counts.values()) == sum(after.counts.values())
    assert before.digest != after.digest


def test_renamed_files_are_the_same_data(tmp_path: Path, pictures: Path) -> None:
    before = prepare(images_of(pictures), tmp_path / "before")
    (pictures / "cats" / "03.png").rename(pictures / "cats" / "renamed.png")
    assert prepare(images_of(pictures), tmp_path / "after").digest == before.digest


def test_the_list_of_rejections_ends_but_the_count_does_not(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "LISTED_REJECTIONS", 3)
    write_files(pictures, {f"cats/{n}.txt": b"text" for n in range(10)})
    manifest = prepare(images_of(pictures), tmp_path / "out")
    assert (len(manifest.rejected), manifest.rejected_count) == (3, 10)


def test_names_that_are_not_text_break_neither_the_manifest_nor_a_terminal(tmp_path: Path, pictures: Path) -> None:
    write_files(pictures, {"cats/esc\x1b[2J\udce9.png": png(90)})
    prepare(images_of(pictures), tmp_path / "out")
    [rejected] = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["rejected"]
    assert rejected == {"name": r"cats/esc\x1b[2J\udce9.png", "reason": "unreadable name"}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["1.png"], "1 for training, 0 for the test"),
        (["1.png", "2.png", "3.png"], "2 for training, 1 for the test"),
        (["train/1.png", "train/2.png", "test/3.png"], "2 for training, 1 for the test"),
        (
            [*(f"train/{name}/{n}.png" for name in ("cat", "dog") for n in range(3)), "val/6.png"],
            "6 for training, 0 for the test; rejected: 1 x outside of the class or split folders (val/6.png)",
        ),
    ],
)
def test_too_few_images_are_an_error(tmp_path: Path, names: list[str], found: str) -> None:
    folder = write_files(tmp_path / "mine", {name: png(seed) for seed, name in enumerate(names)})
    with pytest.raises(DataError) as error:
        prepare(images_of(folder), tmp_path / "out")
    assert (error.value.code, error.value.found) == ("too-few-rows", found)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize(("count", "size"), [(4, 28), (8, 32)])
def test_a_handful_of_images_is_prepared_without_any_other_setting(tmp_path: Path, count: int, size: int) -> None:
    folder = write_files(tmp_path / "mine", {f"{n}.png": png(n, size=30 + n) for n in range(count)})
    manifest = prepare(DataParams(source="images", path=folder), tmp_path / "out")
    assert manifest.spec.fields["image"] == ImageField(channels=3, size=size)
    assert sum(manifest.counts.values()) == count
    assert min(manifest.counts.values()) >= 2


def test_shares_are_those_of_the_train_split(tmp_path: Path) -> None:
    files = {f"{'cats' if n % 4 else 'dogs'}/{n:02}.png": png(n) for n in range(40)} | {"hens/1.png": png(99)}
    manifest = prepare(images_of(write_files(tmp_path / "mine", files)), tmp_path / "out")
    train, test = manifest.class_counts["train"], manifest.class_counts["test"]
    assert (train["hens"], test["hens"]) == (1, 0)
    shares = manifest.spec.field("label", CategoryField).shares
    assert shares == pytest.approx([count / manifest.counts["train"] for count in train.values()])
    labels = read_packed(tmp_path / "out", "train")["label"]
    assert torch.bincount(labels).tolist() == list(train.values())


def test_an_error_before_anything_is_written_leaves_the_former_data(tmp_path: Path, pictures: Path) -> None:
    before = prepare(images_of(pictures), tmp_path / "out")
    with pytest.raises(DataError) as error:
        prepare(images_of(tmp_path / "missing"), tmp_path / "out")
    assert error.value.code == "path-missing"
    assert read_manifest(tmp_path / "out") == before


def test_preparing_again_replaces_everything(tmp_path: Path, pictures: Path) -> None:
    prepare(params(), tmp_path / "out")
    again = prepare(images_of(pictures), tmp_path / "out")
    assert read_manifest(tmp_path / "out") == again
    assert read_packed(tmp_path / "out", "train")["image"].shape[1:] == (3, 16, 16)
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {"manifest.json", "train/rows.safetensors", "test/rows.safetensors"}


def test_a_failure_between_the_files_leaves_no_manifest(tmp_path: Path, pictures: Path) -> None:
    """The manifest goes first: an old one would vouch for a mixture of old and new."""
    out = tmp_path / "out"
    prepare(images_of(pictures), out)
    split_path(out, "test").unlink()
    (out / "test").rmdir()
    (out / "test").write_text("a file where a folder should be")
    with pytest.raises(DataError) as error:
        prepare(images_of(pictures), out)
    assert error.value.code == "packed-unwritable"
    with pytest.raises(DataError) as error:
        read_manifest(out)
    assert error.value.code == "manifest-missing"


KILLED = """
import sys
from pathlib import Path
from ganops.params import DataParams

if __name__ == "__main__":
    from ganops.data.prepare import prepare
    path, out = map(Path, sys.argv[1:])
    params = DataParams(source="images", path=path, image_size=64, channels=3, test_share=0.2, max_rejected=0.5)
    prepare(params, out, processes=2)
"""


def is_decoder(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # ended since it was listed
        return False


def test_a_killed_run_leaves_nothing_behind_and_no_process(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "mine", {"0.png": encode(Image.effect_noise((1500, 1500), 50), "PNG")})
    for number in range(1, 400):
        (folder / f"{number}.png").hardlink_to(folder / "0.png")
    script = tmp_path / "script.py"
    script.write_text(KILLED)
    parent = psutil.Popen([sys.executable, str(script), str(folder), str(tmp_path / "out")])
    deadline = time.monotonic() + 60
    decoders: list[psutil.Process] = []
    while len(decoders) < 2 and time.monotonic() < deadline:
        decoders = [each for each in parent.children(recursive=True) if is_decoder(each)]
        time.sleep(0.05)
    assert len(decoders) == 2
    time.sleep(1)
    assert parent.poll() is None
    parent.kill()
    parent.wait()
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
    _, alive = psutil.wait_procs(decoders, timeout=20)
    assert alive == []


def test_the_manifest_comes_back_as_it_was_written(tmp_path: Path, pictures: Path) -> None:
    manifest = prepare(images_of(pictures), tmp_path)
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest


def test_a_path_that_the_source_does_not_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        prepare(DataParams(source="digits", path=tmp_path), tmp_path / "out")
    assert (caught.value.code, caught.value.found) == ("idle-option", f"data.path: {tmp_path}")
