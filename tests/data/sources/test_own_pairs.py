"""Your own pairs, domains and label maps: which pictures belong together, in which form, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from collecting import collect, collect_domains
from image_files import encode, noise, png, write_files
from PIL import Image

from ganops.data.digest import digest
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField
from ganops.data.manifest import read_manifest
from ganops.data.packed import SPLITS, read_domains, read_packed
from ganops.data.prepare import prepare
from ganops.data.raw_dataset import RawDataset
from ganops.data.rejection import Reason
from ganops.errors import DataError, SettingsError
from ganops.params import DataParams


def level(value: int, size: int = 16, mode: str = "RGB") -> bytes:
    """A picture of one grey level."""
    return encode(Image.new("L", (size, size), value).convert(mode), "PNG")


def options(path: Path, **own: Any) -> dict[str, Any]:
    return {"path": path, "image_size": 16, "channels": 3, "options": own}


def levels(found: RawDataset, split: str | None = None) -> list[tuple[int, int]]:
    """The grey levels of (source, image) of all rows."""
    rows = np.concatenate(list(found.rows.values())) if split is None else found.rows[split]
    return sorted((int(found.columns["source"][row].max()), int(found.columns["image"][row].max())) for row in rows)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Ten pairs: pictures of B are 100 levels lighter than those of A."""
    files = {f"{side}/{n}.png": level(n + 100 * (side == "B")) for n in range(10) for side in "AB"}
    return write_files(tmp_path / "mine", files)


def test_files_of_the_same_name_are_pairs(tmp_path: Path, pairs: Path) -> None:
    found = collect("images", tmp_path, **options(pairs))
    assert list(found.fields) == ["image", "source"]
    assert levels(found) == [(n, n + 100) for n in range(10)]
    assert levels(collect("images", tmp_path, **options(pairs, direction="BtoA"))) == [(n + 100, n) for n in range(10)]
    assert collect("images", tmp_path, **options(pairs, layout="single")).fields.keys() == {"image", "label"}


def test_both_sides_have_sizes_channels_and_bit_depths_of_their_own(tmp_path: Path) -> None:
    deep = Image.fromarray(np.full((30, 30), 40_000, dtype=np.uint16))
    files = {f"A/{n}.tif": encode(deep if n else Image.new("I;16", (30, 30), 500), "TIFF") for n in range(2)}
    files |= {f"B/{n}.png": encode(noise(n, 70), "PNG") for n in range(2)}
    found = collect("images", tmp_path, path=write_files(tmp_path / "mine", files))
    assert found.fields["source"] == ImageField(channels=1, size=28)
    assert found.fields["image"] == ImageField(channels=3, size=64)
    assert sorted(found.columns["source"].max(axis=(1, 2, 3))) == [2, 156]  # of 65535: scaled to 255, not cut
    path = tmp_path / "mine"
    sized = collect("images", tmp_path, **options(path, source_size=8, source_channels=1)).fields
    assert (sized["source"], sized["image"]) == (ImageField(channels=1, size=8), ImageField(channels=3, size=16))
    assert collect("images", tmp_path, **options(path)).fields["source"] == ImageField(channels=3, size=16)


def test_what_has_no_partner_is_listed(tmp_path: Path, pairs: Path) -> None:
    write_files(pairs, {"A/lonely.png": level(50), "B/3.png": b"", "A/4.png": level(4)[:-30], "cover.png": level(9)})
    found = collect("images", tmp_path, **options(pairs))
    assert levels(found) == [(n, n + 100) for n in range(10) if n not in (3, 4)]
    assert {each.name: each.reason for each in found.rejections} == {
        "A/lonely.png": Reason.UNMATCHED,
        "B/3.png": Reason.EMPTY,
        "A/3.png": Reason.UNMATCHED,
        "A/4.png": Reason.DAMAGED,
        "B/4.png": Reason.UNMATCHED,
        "cover.png": Reason.MISPLACED,
    }


def test_equal_pairs_are_used_once_and_equal_sources_stay_in_one_split(tmp_path: Path, pairs: Path) -> None:
    write_files(pairs, {"A/copy.png": level(1), "B/copy.png": level(101)})
    write_files(pairs, {f"{side}/{n}.png": level(7 if side == "A" else n) for n in range(20, 40) for side in "AB"})
    found = collect("images", tmp_path, test_share=0.4, **options(pairs))
    assert [each.name for each in found.rejections if each.reason is Reason.DUPLICATE] == ["A/copy.png"]
    train, test = (levels(found, split) for split in ("train", "test"))
    assert not {source for source, _ in train} & {source for source, _ in test}


@pytest.mark.parametrize("layout", ["pairs", "side-by-side"])
@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_no_picture_is_on_the_same_side_of_both_splits(tmp_path: Path, layout: str, direction: str) -> None:
    files = {}
    for n in range(60):
        once, often = noise(100 + n), noise(n // 5)  # as five noisy photos of each of twelve scenes
        if layout == "pairs":
            files |= {f"A/{n}.png": encode(once, "PNG"), f"B/{n}.png": encode(often, "PNG", compress_level=n % 5 + 1)}
        else:
            both = Image.new("RGB", (32, 16))
            both.paste(once, (0, 0))
            both.paste(often, (16, 0))
            files[f"{n}.png"] = encode(both, "PNG")
    path = write_files(tmp_path / "mine", files)
    found = collect("images", tmp_path, test_share=0.4, **options(path, layout=layout, direction=direction))
    for column in ("source", "image"):
        train, test = ({found.columns[column][row].tobytes() for row in rows} for rows in found.rows.values())
        assert train
        assert test
        assert not train & test


def test_empty_masks_are_in_both_splits(tmp_path: Path) -> None:
    files = {f"A/{n}.png": png(n) for n in range(40)} | {f"B/{n}.png": level(0) for n in range(40)}
    found = collect("images", tmp_path, **options(write_files(tmp_path / "mine", files)))
    assert min(len(rows) for rows in found.rows.values()) > 2


@pytest.mark.parametrize("pattern", ["{}/{}/{}.png", "{}{}/{}.png"])
def test_splits_of_pairs_are_kept(tmp_path: Path, pattern: str) -> None:
    files = {
        pattern.format(split, side, n): level(n + shift + 100 * (side == "B"))
        for split, shift in (("train", 0), ("test", 50))
        for side in "AB"
        for n in range(3)
    }
    found = collect("images", tmp_path, **options(write_files(tmp_path / "mine", files)))
    assert found.split_by == "folders"
    assert levels(found, "train") == [(n, n + 100) for n in range(3)]
    assert levels(found, "test") == [(n + 50, n + 150) for n in range(3)]


def side_by_side(left: int, right: int) -> bytes:
    picture = Image.new("RGB", (33, 16), (right,) * 3)
    picture.paste((left,) * 3, (0, 0, 16, 16))
    return encode(picture, "PNG")


def test_side_by_side_pictures_are_cut_in_the_middle(tmp_path: Path) -> None:
    files = {f"{n}.png": side_by_side(n, n + 100) for n in range(8)} | {"high.png": level(9)}
    path = write_files(tmp_path / "mine", files)
    found = collect("images", tmp_path, **options(path, layout="side-by-side"))
    assert levels(found) == [(n, n + 100) for n in range(8)]
    assert [(each.name, each.reason) for each in found.rejections] == [("high.png", Reason.UNMATCHED)]
    other = collect("images", tmp_path, **options(path, layout="side-by-side", direction="BtoA"))
    assert levels(other) == [(n + 100, n) for n in range(8)]
    auto = collect("images", tmp_path, path=path, options={"layout": "side-by-side"})
    assert auto.fields["source"] == auto.fields["image"] == ImageField(channels=1, size=16)
    assert list(collect("images", tmp_path, **options(path)).fields) == ["image"], "only where it is asked for"


@pytest.fixture
def domains(tmp_path: Path) -> Path:
    """CycleGAN's folders: 12 horses with classes, 6 zebras, 4 and 3 of them for the test."""
    files = {f"trainA/{'brown' if n % 2 else 'white'}/h{n}.png": png(n, 20) for n in range(8)}
    files |= {f"testA/{'brown' if n % 2 else 'white'}/h{n}.png": png(n, 20) for n in range(8, 12)}
    files |= {f"trainB/z{n}.png": png(n, 40) for n in range(3)} | {f"testB/z{n}.png": png(n, 40) for n in range(3, 6)}
    return write_files(tmp_path / "horse2zebra", files)


def test_different_names_are_two_domains_each_with_its_own_rows(tmp_path: Path, domains: Path) -> None:
    out = tmp_path / "out"
    manifest = prepare(DataParams(source="images", path=domains), out)
    assert manifest == read_manifest(out)
    assert not manifest.spec.paired
    assert list(manifest.spec.fields) == ["A", "A_label", "B"]
    assert manifest.spec.fields["A"] == ImageField(channels=3, size=16)
    assert manifest.spec.fields["B"] == ImageField(channels=3, size=32)
    assert manifest.domain_counts == {"A": {"train": 8, "test": 4}, "B": {"train": 3, "test": 3}}
    assert manifest.counts == {"train": 3, "test": 3}
    train = read_domains(out, "train", manifest.spec)
    assert {name: len(rows) for name, rows in train.items()} == {"A": 8, "B": 3}
    assert {name: list(rows) for name, rows in train.items()} == {"A": ["A", "A_label"], "B": ["B"]}


def test_each_domain_is_a_data_set_of_its_own(tmp_path: Path, domains: Path) -> None:
    whole = prepare(DataParams(source="images", path=domains), tmp_path)
    for name, columns in (("A", ["A", "label"]), ("B", ["B"])):
        manifest = read_manifest(tmp_path / name)
        assert manifest.spec == whole.spec.domains[name]
        assert manifest.counts == whole.domain_counts[name]
        splits = {split: read_packed(tmp_path / name, split) for split in SPLITS}
        assert list(splits["train"]) == columns
        assert manifest.digest == digest(splits)
    assert read_manifest(tmp_path / "A").class_counts["train"] == {"brown": 4, "white": 4}
    assert {whole.spec.domain_of(name) for name in ("A", "A_label")} == {"A"}


def test_paired_data_replace_unpaired_ones_and_the_other_way_round(tmp_path: Path, domains: Path, pairs: Path) -> None:
    out = tmp_path / "out"
    for path, folders in ((domains, {"A", "B"}), (pairs, {"train", "test"}), (domains, {"A", "B"})):
        prepare(DataParams(source="images", path=path, image_size=16), out)
        assert {each.name for each in out.iterdir() if each.is_dir()} == folders


def test_pairs_may_be_used_as_domains_and_domains_need_their_folders(tmp_path: Path, pairs: Path) -> None:
    assert collect_domains("images", tmp_path, **options(pairs, layout="domains")).keys() == {"A", "B"}
    with pytest.raises(DataError) as error:
        collect_domains("images", tmp_path, **options(pairs / "A", layout="domains"))
    assert error.value.code == "no-sides"


LABELS = np.arange(256, dtype=np.uint8).reshape(16, 16) % 3


def indexed(shift: int) -> bytes:
    picture = Image.fromarray((LABELS + shift) % 3)
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    return encode(picture, "PNG")


def test_indexed_pictures_are_label_maps(tmp_path: Path) -> None:
    files = {f"A/{n}.png": indexed(n) for n in range(3)} | {f"B/{n}.png": png(n) for n in range(3)}
    files |= {
        "A/3.png": encode(Image.new("L", (16, 16), 3), "PNG"),
        "B/3.png": png(3),
        "A/4.png": png(5),
        "B/4.png": png(4),
    }
    path = write_files(tmp_path / "mine", files)
    found = collect("images", tmp_path, **options(path, source_labels=["sky", "road", "car"]))
    field = found.fields["source"]
    assert isinstance(field, LabelMapField)
    assert (field.size, field.labels.classes) == (16, ("sky", "road", "car"))
    assert (found.columns["source"][:3, 0] == np.stack([(LABELS + n) % 3 for n in range(3)])).all()
    assert {each.name: each.words for each in found.rejections if each.reason is Reason.BAD_LABELS} == {
        "A/3.png": "not a label map: index 3 of 3 classes",
        "A/4.png": "not a label map: it holds colours, not indices of classes",
    }
    modelled = field.to_model(torch.from_numpy(found.columns["source"][:3]))
    assert modelled.shape == (3, 3, 16, 16)
    assert (modelled.sum(dim=1) == 1).all()


def test_named_colours_are_label_maps_and_slightly_wrong_ones_are_the_nearest(tmp_path: Path) -> None:
    table = {"sky": "#0000ff", "road": [128, 128, 128], "car": "red"}
    colours = np.array([(0, 0, 250), (120, 128, 130), (255, 0, 0)], dtype=np.uint8)
    files = {f"B/{n}.png": encode(Image.fromarray(colours[(LABELS + n) % 3]), "PNG") for n in range(3)}
    files |= {f"A/{n}.png": png(n) for n in range(3)}
    path = write_files(tmp_path / "mine", files)
    found = collect("images", tmp_path, **options(path, image_labels=table))
    field = found.fields["image"]
    assert isinstance(field, LabelMapField)
    assert field.labels.colours == ((0, 0, 255), (128, 128, 128), (255, 0, 0))
    assert (found.columns["image"][:, 0] == np.stack([(LABELS + n) % 3 for n in range(3)])).all()


@pytest.mark.parametrize("table", [["one"], {"a": "red", "b": "#ff0000"}, {"a": "red", "b": "no colour"}])
def test_a_wrong_table_of_classes_is_an_error(tmp_path: Path, pairs: Path, table: Any) -> None:
    with pytest.raises(SettingsError) as error:
        collect("images", tmp_path, **options(pairs, source_labels=table))
    assert "data.options" in str(error.value)


@pytest.mark.parametrize(
    ("table", "place"),
    [("[sky, wall]", "A"), ("{sky: '#0000ff', wall: [99, 99, 99]}", "A"), ("[sky, wall]", "A/train")],
)
def test_a_table_beside_label_maps_names_their_classes(table: str, place: str, tmp_path: Path) -> None:
    """No setting is needed: `make run DATA=FOLDER`."""
    coloured = "#" in table
    maps = [Image.new("RGB", (16, 16), (0, 0, 255)), Image.new("RGB", (16, 16), (99, 99, 99))]
    if not coloured:
        maps = [Image.new("P", (16, 16), index) for index in (0, 1)]
    files = {f"A/{number}.png": encode(each, "PNG") for number, each in enumerate(maps * 4)}
    files |= {f"B/{number}.png": png(number) for number in range(8)} | {f"{place}/labels.yaml": table.encode()}
    found = collect("images", tmp_path, **options(write_files(tmp_path / "data", files)))
    field = found.fields["source"]
    assert isinstance(field, LabelMapField)
    assert (field.labels.classes, field.size) == (("sky", "wall"), 16)
    assert bool(field.labels.colours) == coloured
    assert sorted(set(found.columns["source"].reshape(len(found.columns["source"]), -1)[:, 0].tolist())) == [0, 1]
    assert not found.rejections


@pytest.mark.parametrize("table", ["sky", "[sky]", "{sky: blau}", "[sky,", "[sky, 2026-13-45]", "\xff"])
def test_a_table_that_names_no_classes_is_an_error(table: str, tmp_path: Path) -> None:
    files = {f"{side}/{number}.png": png(number) for side in "AB" for number in range(4)}
    folder = write_files(tmp_path / "data", files | {"A/labels.yaml": table.encode("latin-1")})
    with pytest.raises(DataError) as caught:
        collect("images", tmp_path, **options(folder))
    assert caught.value.code == "bad-label-table"


@pytest.mark.parametrize(
    ("files", "own", "idle"),
    [
        ({f"{n}.png": png(n) for n in range(4)}, {"source_size": 8}, "data.options.source_size"),
        ({f"{n}.png": png(n) for n in range(4)}, {"direction": "BtoA"}, "data.options.direction"),
        ({f"{s}/{s}{n}.png": png(n) for n in range(4) for s in "AB"}, {"image_labels": ["a", "b"]}, "image_labels"),
        ({f"{s}/{s}{n}.png": png(n) for n in range(4) for s in "AB"} | {"A/labels.yaml": b"[a, b]"}, {}, "labels.yaml"),
    ],
)
def test_options_without_effect_are_refused(
    tmp_path: Path, files: dict[str, bytes], own: dict[str, Any], idle: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        collect("images", tmp_path, **options(write_files(tmp_path / "mine", files), **own))
    assert caught.value.code == "idle-option"
    assert idle in caught.value.message
