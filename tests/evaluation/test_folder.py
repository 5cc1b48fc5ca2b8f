"""Two folders of images, from any model: scored as they are, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from ganops.cli import ganops
from ganops.errors import EvaluationError, GanopsError
from ganops.evaluation.extractors.custom import Custom
from ganops.evaluation.folder import evaluate_folders, find_images, read_images
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
    extractor="custom", custom="row_features:rows", scores=("fid", "is", "kid", "prdc", "diversity"), batch_size=16
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
    """A working directory with two folders of images and a extractor of a few lines."""
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
    assert good.scores["fid"].value < bad.scores["fid"].value / 5
    assert good.scores["precision"].value > bad.scores["precision"].value
    assert (bad.protocol.generated_count, bad.protocol.real_count) == (50, 60)
    assert bad.protocol.kid_subset_size == 50
    assert good.protocol.digest() == bad.protocol.digest()


def test_swapped_folders_are_noticed(home: Path) -> None:
    """FID is symmetric; the protocol, precision and recall are not."""
    extractor = Custom("row_features:rows")
    one, _ = evaluate_folders(home / "made", home / "real", extractor, PARAMS, seed=0)
    other, _ = evaluate_folders(home / "real", home / "made", extractor, PARAMS, seed=0)
    assert other.protocol.real_data != one.protocol.real_data
    assert other.protocol.real_count == 50


def test_images_come_in_order_and_whole(home: Path) -> None:
    files = find_images(home / "real")
    assert files == sorted(files)
    images = torch.cat(list(read_images(files, batch_size=7)))
    assert images.shape == (60, 3, 16, 16)
    assert np.array_equal(images[13].permute(1, 2, 0).numpy(), np.asarray(Image.open(files[13])))


def test_command(home: Path) -> None:
    run = CliRunner()
    options = ["--extractor", "custom", "--custom", "row_features:rows", "--batch-size", "16"]
    arguments = [
        "evaluate",
        "made",
        "--reference",
        "real",
        *options,
        "--json",
        "out.json",
        "--save-statistics",
        "r.npz",
    ]
    done = run.invoke(ganops, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    written = json.loads((home / "out.json").read_text())
    assert written["protocol"]["extractor"] == "custom"
    expected, _ = evaluate_folders(
        home / "made",
        home / "real",
        Custom("row_features:rows"),
        PARAMS.model_copy(update={"kid_subsets": 100, "kid_subset_size": 1000, "pairwise_samples": 10_000}),
        seed=0,
    )
    assert written["scores"] == pytest.approx(expected.metrics(), rel=1e-6)
    assert "FID" in done.output
    statistics = run.invoke(ganops, ["evaluate", "made", "-r", "r.npz", *options], catch_exceptions=False)
    fid = float(statistics.output.split("FID ")[1].split()[0])
    assert fid == pytest.approx(written["scores"]["fid"], rel=1e-4)


def test_two_files_of_statistics_need_no_backbone(home: Path) -> None:
    for name, mean in (("a", 0.0), ("b", 2.0)):
        np.savez(home / f"{name}.npz", mu=np.full(4, mean), sigma=np.eye(4))
    done = CliRunner().invoke(ganops, ["evaluate", "a.npz", "-r", "b.npz"], catch_exceptions=False)
    assert float(done.output.split("FID ")[1].split()[0]) == pytest.approx(16)


def bad_inputs(home: Path) -> dict[str, tuple[str, str, str]]:
    """What is wrong, and the folder it lies in, the reference, and what the error says."""
    write_images(home / "large", 10, seed=3, size=24)
    write_images(home / "mixed", 10, seed=3)
    write_images(home / "mixed" / "more", 3, seed=3, size=24)
    write_images(home / "torn", 10, seed=3)
    torn = next((home / "torn").rglob("*.png"))
    torn.write_bytes(torn.read_bytes()[:60])
    write_images(home / "single", 1, seed=3)
    (home / "empty").mkdir()
    return {
        "sizes between the folders": ("large", "real", "differ in size"),
        "sizes within a folder": ("mixed", "real", "differ in size"),
        "a torn file": ("torn", "real", "cannot be read"),
        "one image": ("single", "real", "too few images"),
        "no image": ("made", "empty", "too few images"),
        "no folder": ("made", "nowhere", "is no folder"),
        "too few for the inception score": ("few", "real", "too few"),
    }


def test_bad_input_is_never_a_number(home: Path) -> None:
    write_images(home / "few", 4, seed=3)
    for what, (made, real, message) in bad_inputs(home).items():
        with pytest.raises(GanopsError) as caught:
            evaluate_folders(home / made, home / real, Custom("row_features:rows"), PARAMS, seed=0)
        assert isinstance(caught.value, EvaluationError), what
        assert message in str(caught.value), what


def test_a_given_size_brings_all_to_one(home: Path) -> None:
    write_images(home / "large", 20, seed=3, size=24)
    found, _ = evaluate_folders(home / "large", home / "real", Custom("row_features:rows"), PARAMS, seed=0, size=16)
    assert found.protocol.image_shape == (3, 16, 16)
