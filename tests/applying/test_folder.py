"""Folders of pictures: every file whole, what is done kept, what cannot be used listed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_files import encode, noise, png, write_files
from PIL import Image
from playing import recipe, spec_of
from torch import Tensor

from ganops.applying.folder import RECORD, Applied, apply_to_folder
from ganops.applying.translator import PictureTranslator
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.fields.vector import VectorField
from ganops.data.rejection import Reason
from ganops.data.rows import Rows
from ganops.errors import DataError, ModelError, SettingsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.game import Game, Losses
from ganops.games.task import Task

SETTINGS = {"model": "digest"}


class Negative(Game):
    """Turns bright into dark and repeats each pixel `scale` times; further inputs shift it."""

    def __init__(self, source: Field, target: Field, scale: int = 1, **inputs: Field) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(1.0))
        self.players, self.ema_networks, self.scale = {}, (), scale
        latents = {"z": VectorField(size=1)} if inputs else {}
        self.tasks = {
            "there": Task({"image": target}, {"source": source, **inputs}, latents),
            "back": Task({"image": target}, {"source": source}),
        }

    def losses(self, player: str, batch: Rows, step: int, micro_batch: int = 0) -> Losses:
        raise NotImplementedError("it does not learn")

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """Negatives; of the task `back` the pictures as they are."""
        shift = inputs["label"].view(-1, 1, 1, 1) / 2 if "label" in inputs else 0
        made: Tensor = inputs["source"] * (1 if task == "back" else -1) * self.weight + shift
        return Rows({"image": made.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)})


GREY, RGB = ImageField(channels=1, size=8), ImageField(channels=3, size=8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "in",
        {
            "a.png": encode(noise(0, 30).crop((0, 0, 30, 19)), "PNG"),
            "deep/b.bmp": encode(noise(1, 5), "BMP"),
            "deep/torn.jpg": encode(noise(2, 40), "JPEG")[:300],
            "empty.png": b"",
            "notes.txt": b"text",
        },
    )


def apply(source: Path, output: Path, translator: PictureTranslator | None = None, **options: Any) -> Applied:
    translator = translator or PictureTranslator(Negative(RGB, RGB))
    return apply_to_folder(translator, source, output, options.pop("settings", SETTINGS), **options)


def test_every_picture_is_translated_at_its_size(source: Path, tmp_path: Path) -> None:
    applied = apply(source, tmp_path / "out")
    assert applied.written == ("a.png", "deep/b.png")
    for name, seed, size in (("a.png", 0, (30, 19)), ("deep/b.png", 1, (5, 5))):
        expected = 255 - np.asarray(noise(seed, size[0]))[: size[1]].astype(int)
        np.testing.assert_allclose(np.asarray(Image.open(tmp_path / "out" / name)), expected, atol=1)


def test_what_cannot_be_used_is_listed(source: Path, tmp_path: Path) -> None:
    write_files(source, {"a.gif": png(3)})  # would be a.png as well
    found = {each.name: each.reason for each in apply(source, tmp_path / "out").rejections}
    assert found == {
        "a.png": Reason.DUPLICATE,
        "deep/torn.jpg": Reason.DAMAGED,
        "empty.png": Reason.EMPTY,
        "notes.txt": Reason.NOT_AN_IMAGE,
    }
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == ["a.png", "b.png", RECORD]


def test_what_is_done_is_kept(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    apply(source, out)
    before = (out / "a.png").stat().st_mtime_ns
    assert (apply(source, out).written, apply(source, out).kept) == ((), 2)
    assert (out / "a.png").stat().st_mtime_ns == before
    (out / "deep" / "b.png").unlink()
    write_files(source, {"a.png": png(9)})
    assert apply(source, out).written == ("a.png", "deep/b.png")
    assert apply(source, out, again=True).written == ("a.png", "deep/b.png")


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_killed_call_goes_on_where_it_was(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    translator = PictureTranslator(Negative(RGB, RGB))
    tiles = list[int]()

    def kill() -> None:
        tiles.append(1)
        if len(tiles) == 5:  # inside of the second picture: the first has four rows of tiles
            raise Killed

    original = translator._translate

    def dying(stored: Tensor) -> Tensor:
        kill()
        return original(stored)

    translator._translate = dying
    with pytest.raises(Killed):
        apply(source, out, translator)
    with (out / RECORD).open("a") as record:
        record.write('{"output": "torn')
    assert [path.name for path in out.rglob("*.png")] == ["a.png"]
    rest = apply(source, out)
    assert (rest.written, rest.kept) == (("deep/b.png",), 1)
    assert apply(source, out).kept == 2


def test_a_folder_made_otherwise_is_refused(source: Path, tmp_path: Path) -> None:
    apply(source, tmp_path / "out")
    with pytest.raises(DataError) as caught:
        apply(source, tmp_path / "out", settings={"model": "another"})
    assert (caught.value.code, caught.value.found) == ("other-settings", "model: digest")
    assert apply(source, tmp_path / "out", settings={"model": "another"}, again=True).kept == 0


def test_pictures_of_somebody_else_are_not_replaced(source: Path, tmp_path: Path) -> None:
    own = write_files(tmp_path / "mine", {"a.png": b"my holiday"})
    with pytest.raises(DataError) as caught:
        apply(source, own)
    assert (caught.value.code, caught.value.found) == ("output-exists", "a.png")
    assert (own / "a.png").read_bytes() == b"my holiday"
    assert len(apply(source, own, again=True).written) == 2


@pytest.mark.parametrize("record", [b"\xff\xfe", b"[1]\n", b'{"settings": 3}\n{"x": 1}\n', b"null\n"])
def test_a_record_that_cannot_be_read_counts_for_nothing(source: Path, tmp_path: Path, record: bytes) -> None:
    out = write_files(tmp_path / "out", {RECORD: record})
    assert len(apply(source, out).written) == 2
    assert apply(source, out).kept == 2


@pytest.mark.parametrize(
    ("where", "code"), [("in", "output-inside"), ("in/deep/out", "output-inside"), ("nowhere", "path-missing")]
)
def test_folders_that_cannot_be_used_are_refused_before_any_work(
    where: str, code: str, source: Path, tmp_path: Path
) -> None:
    missing = code == "path-missing"
    with pytest.raises(DataError) as caught:
        apply(tmp_path / where if missing else source, tmp_path / ("out" if missing else where))
    assert caught.value.code == code
    assert not (tmp_path / "out").exists()


def test_a_folder_without_pictures_is_an_error_that_says_why(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"notes.txt": b"text"})
    with pytest.raises(DataError) as caught:
        apply(folder, tmp_path / "out")
    assert (caught.value.code, caught.value.found) == ("no-pictures", "1 x not an image (notes.txt)")


def test_one_picture_may_be_given(source: Path, tmp_path: Path) -> None:
    assert apply(source / "a.png", tmp_path / "out").written == ("a.png",)
    assert apply(source / "a.png", source / "beside").written == ("a.png",)
    with pytest.raises(DataError) as caught:
        apply(source / "a.png", source)
    assert caught.value.code == "output-inside"


def test_sizes_and_channels_of_both_sides_may_differ(source: Path, tmp_path: Path) -> None:
    large = PictureTranslator(Negative(GREY, ImageField(channels=1, size=24), scale=3))
    apply(source, tmp_path / "out", large, form="jpeg")
    with Image.open(tmp_path / "out" / "a.jpg") as made:
        assert (made.size, made.mode) == ((90, 57), "L")


def test_a_direction_and_inputs_besides_the_picture(source: Path, tmp_path: Path) -> None:
    apply(source, tmp_path / "back", PictureTranslator(Negative(RGB, RGB), "back"))
    made = np.asarray(Image.open(tmp_path / "back" / "a.png"))
    np.testing.assert_array_equal(made, np.asarray(noise(0, 30))[:19])
    game = Negative(RGB, RGB, label=CategoryField(classes=("dark", "bright")))
    with pytest.raises(SettingsError) as caught:
        PictureTranslator(game)
    assert (caught.value.code, caught.value.expected) == ("inputs-missing", "label: dark, bright")
    with pytest.raises(SettingsError) as caught:
        PictureTranslator(game, given={"label": torch.tensor([0]), "source": torch.zeros(1, 3, 8, 8)})
    assert caught.value.code == "picture-given", "it would have no effect"
    pictures = [
        np.asarray(PictureTranslator(game, given={"label": torch.tensor([label])})(noise(0, 30))) for label in (0, 1)
    ]
    assert pictures[1].mean() > pictures[0].mean() + 30


def test_label_maps_as_source_and_as_output(tmp_path: Path) -> None:
    field = LabelMapField(size=8, labels=LabelTable(classes=("sky", "wall"), colours=((0, 0, 255), (99, 99, 99))))
    indexed = Image.new("P", (20, 9), 0)
    indexed.putpalette([99, 99, 99, 0, 0, 255])  # not in the order of the classes, as other programs write it
    coloured = encode(Image.new("RGB", (20, 9), (0, 0, 250)), "BMP")
    maps = write_files(tmp_path / "in", {"indexed.png": encode(indexed, "PNG"), "coloured.bmp": coloured})
    applied = apply(maps, tmp_path / "out", PictureTranslator(Negative(field, field)))
    assert applied.written == ("coloured.png", "indexed.png")
    for name, swapped in (("coloured", 1), ("indexed", 0)):
        with Image.open(tmp_path / "out" / f"{name}.png") as made:
            assert (made.mode, made.size, made.getpixel((3, 3))) == ("P", (20, 9), swapped)
    of_indices = LabelMapField(size=8, labels=LabelTable(classes=("sky", "wall")))
    applied = apply(maps, tmp_path / "other", PictureTranslator(Negative(of_indices, of_indices)))
    assert applied.written == ("indexed.png",)
    assert [(each.name, each.reason) for each in applied.rejections] == [("coloured.bmp", Reason.BAD_LABELS)]


def test_models_of_other_tasks_are_refused() -> None:
    made = recipe()
    with pytest.raises(ModelError) as caught:
        PictureTranslator(build_game(made, recipe_spec(made, spec_of(1, 8))))
    assert caught.value.code == "not-image-to-image"
    with pytest.raises(ModelError) as caught:
        PictureTranslator(Negative(RGB, ImageField(channels=3, size=12)))
    assert caught.value.code == "scale-not-whole"


def test_tiles_that_the_networks_do_not_take_are_refused() -> None:
    unet = {"kind": "unet", "width": 4, "max_width": 8}
    made = recipe(
        game={"kind": "regression"},
        networks={"generator": unet},
        optimizers={"generator": {"lr": 1e-3}},
        derived={"source": {"kind": "noise", "of": "image", "sigma": 0.5}},
    )
    game = build_game(made, recipe_spec(made, spec_of(1, 16)))
    assert PictureTranslator(game, tile=32).tiling.tile == 32
    with pytest.raises(SettingsError) as caught:
        PictureTranslator(game, tile=18)
    assert caught.value.code == "tile-size"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_leaves_no_half_files(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(OSError, match="denied"):
        apply(source, tmp_path / "out")
