"""Two folders of images, from any model: scored as they are, or refused with the reason."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganops.errors import EvaluationError
from ganops.evaluation.extractors.custom import Custom
from ganops.evaluation.extractors.efficientnet import EfficientNetLite0
from ganops.evaluation.folder import evaluate_folders, find_pictures, read_pictures
from ganops.params import EvaluateParams

MODULE = '''
from torch import nn

def rows():
    """48 features and as many logits: means of rows, channel by channel."""
    class Rows(nn.Module):
        def forward(self, images):
            means = images.float().mean(dim=3).flatten(1)
            return means, means / 16
    return Rows()
'''
PARAMS = EvaluateParams(
    features="custom",
    custom="row_features:rows",
    metrics={"fid": {}, "is": {}, "kid": {}, "prdc": {}, "diversity": {}},
    batch_size=16,
)


def write_images(folder: Path, count: int, seed: int, brightness: int = 256, size: int = 16) -> Path:
    """PNGs of coloured noise in sub-folders."""
    generator = np.random.default_rng(seed)
    for index in range(count):
        path = folder / f"part{index % 3}" / f"{index:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, brightness, (size, size, 3), dtype=np.uint8)).save(path)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with two folders of images and a feature extractor of a few lines."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "row_features.py").write_text(MODULE)
    write_images(tmp_path / "real", 60, seed=0)
    write_images(tmp_path / "made", 50, seed=1, brightness=200)
    return tmp_path


def test_scores_tell_good_from_bad(home: Path) -> None:
    write_images(home / "good", 50, seed=2)
    extractor = Custom("row_features:rows")
    good, _ = evaluate_folders(home / "good", home / "real", extractor, PARAMS, seed=0)
    bad, _ = evaluate_folders(home / "made", home / "real", extractor, PARAMS, seed=0)
    assert good.scores["fid_custom"].value < bad.scores["fid_custom"].value / 5
    assert good.scores["precision"].value > bad.scores["precision"].value
    shared = bad.scores.protocol.shared
    assert (shared["generated"], shared["real"], shared["features"]) == (50, 60, "custom")
    assert bad.scores.protocol.groups["kid"]["subset_size"] == 50
    assert good.scores.comparable(bad.scores, "kid_custom")


def test_pictures_that_are_compared_each_with_each_are_of_all_folders(home: Path) -> None:
    """Names sort pictures by the folders of their classes: the first ones would all be of one class."""
    for seed, side in enumerate(("sorted", "originals")):
        write_images(home / side / "dark", 30, seed, brightness=60)
        write_images(home / side / "light", 30, seed)
    few = PARAMS.model_copy(update={"pairwise_samples": 20})
    found, _ = evaluate_folders(home / "sorted", home / "originals", Custom("row_features:rows"), few, seed=0)
    assert found.scores["recall"].value > 0.8
    assert found.scores["diversity"].value == pytest.approx(1, abs=0.3)


def test_swapped_folders_are_noticed(home: Path) -> None:
    """FID is symmetric; the protocol, precision and recall are not."""
    extractor = Custom("row_features:rows")
    one, _ = evaluate_folders(home / "made", home / "real", extractor, PARAMS, seed=0)
    other, _ = evaluate_folders(home / "real", home / "made", extractor, PARAMS, seed=0)
    assert other.scores.protocol.shared["data"] != one.scores.protocol.shared["data"]
    assert other.scores.protocol.shared["real"] == 50


def test_images_come_in_order_and_whole(home: Path) -> None:
    pictures = find_pictures(home / "real")
    assert list(pictures.names) == sorted(pictures.names)
    images = torch.cat(list(read_pictures(pictures, batch_size=7)))
    assert images.shape == (60, 3, 16, 16)
    thirteenth = Image.open(home / "real" / pictures.names[13])
    assert np.array_equal(images[13].permute(1, 2, 0).numpy(), np.asarray(thirteenth))


def test_a_zip_file_is_as_good_as_a_folder(home: Path) -> None:
    with zipfile.ZipFile(home / "real.zip", "w") as archive:
        for file in sorted((home / "real").rglob("*.png")):
            archive.write(file, file.relative_to(home / "real"))
    extractor = Custom("row_features:rows")
    folder, _ = evaluate_folders(home / "made", home / "real", extractor, PARAMS, seed=0)
    zipped, _ = evaluate_folders(home / "made", home / "real.zip", extractor, PARAMS, seed=0)
    assert zipped.scores == folder.scores


def test_deep_grey_and_transparency_are_read_as_prepare_reads_them(home: Path) -> None:
    folder = home / "odd"
    folder.mkdir()
    Image.fromarray(np.full((16, 16), 32896, dtype=np.uint16)).save(folder / "a-16-bit.png")
    Image.new("RGBA", (16, 16), (10, 20, 30, 0)).save(folder / "b-transparent.png")
    images = torch.cat(list(read_pictures(find_pictures(folder), 2)))
    assert images[0].unique().tolist() == [128]
    assert images[1].unique().tolist() == [255]


@pytest.mark.parametrize("count", [2, 3, 8])
def test_tiny_folders_have_scores(home: Path, count: int) -> None:
    write_images(home / "few", count, seed=3)
    found, _ = evaluate_folders(home / "few", home / "few", Custom("row_features:rows"), PARAMS, seed=0)
    assert {"fid_custom", "is_custom", "kid_custom", "precision", "recall", "diversity"} <= set(found.scores)
    assert found.scores["fid_custom"].value == pytest.approx(0, abs=1e-3)


def test_pictures_that_are_not_square(home: Path) -> None:
    for name in ("wide", "wider"):
        (home / name).mkdir()
        for index in range(3):
            Image.new("L", (20, 10), 50 * index).save(home / name / f"{index}.png")
    found, _ = evaluate_folders(home / "wide", home / "wider", EfficientNetLite0(), PARAMS, seed=0)
    assert found.scores.protocol.shared["form"] == "RGB images of 20 x 10 pixels"
    assert found.scores["fid_efficientnet-lite0"].value == pytest.approx(0, abs=1e-3)


def bad_inputs(home: Path) -> dict[str, tuple[str, str, str]]:
    """What is wrong, and the folder it lies in, the reference, and the code of the error."""
    write_images(home / "large", 10, seed=3, size=24)
    write_images(home / "mixed", 10, seed=3)
    write_images(home / "mixed" / "more", 3, seed=3, size=24)
    write_images(home / "torn", 10, seed=3)
    torn = next((home / "torn").rglob("*.png"))
    torn.write_bytes(torn.read_bytes()[:60])
    write_images(home / "single", 1, seed=3)
    (home / "empty").mkdir()
    return {
        "sizes between the folders": ("large", "real", "sizes-differ"),
        "sizes within a folder": ("mixed", "real", "sizes-differ"),
        "a torn file": ("torn", "real", "unreadable-image"),
        "one image": ("single", "real", "too-few-images"),
        "no image": ("made", "empty", "too-few-images"),
        "no folder": ("made", "nowhere", "path-missing"),
    }


def test_bad_input_is_never_a_number(home: Path) -> None:
    for what, (made, real, code) in bad_inputs(home).items():
        with pytest.raises(EvaluationError) as caught:
            evaluate_folders(home / made, home / real, Custom("row_features:rows"), PARAMS, seed=0)
        assert caught.value.code == code, what


def test_a_given_size_brings_all_to_one(home: Path) -> None:
    write_images(home / "large", 20, seed=3, size=24)
    found, _ = evaluate_folders(home / "large", home / "real", Custom("row_features:rows"), PARAMS, seed=0, size=16)
    assert found.scores.protocol.shared["form"] == "RGB images of 16 x 16 pixels"
