"""A folder of label maps and photos goes through all stages without a setting, and the model makes photos of maps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from image_files import encode, write_files
from PIL import Image
from sklearn.datasets import load_digits
from tiny_training import shrunk

from ganops import trial
from ganops.applying.folder import apply_to_folder
from ganops.applying.translator import PictureTranslator
from ganops.data.fields.label_map import LabelMapField
from ganops.data.manifest import read_manifest
from ganops.data.prepare import prepare
from ganops.evaluation.scores import read_scores
from ganops.games.saved import load_game
from ganops.params import DataParams
from ganops.reporting.contents import read_contents
from ganops.workspace import WORKSPACE
from pipeline.stages.evaluate import main as evaluate
from pipeline.stages.reference import main as make_reference
from pipeline.stages.resolve import bring_up_to_date
from pipeline.stages.train import main as train

pytestmark = pytest.mark.slow

PARAMS = """\
seed: 7
recipes: [spade]
data: {source: images, path: mine, image_size: 8}
evaluate:
  features: efficientnet-lite0
  samples: 20
  real_samples: 8
  metrics: {pairs: {}, own-truth: {}, segmentation: {kimg: 0.1, width: 4}}
train: {device: cpu, sample_images: 4, sample_times: 1, validation_samples: 20}
"""


@pytest.fixture
def home(tracking_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with digits in B and, in A, how dark each of their pixels is, in three classes."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    WORKSPACE.params.write_text(PARAMS)
    WORKSPACE.recipes.mkdir(parents=True)
    WORKSPACE.recipe("spade").write_text(shrunk("spade", kimg=0.064).model_dump_json())
    shutil.copy(tracking_database, tmp_path / "mlflow.db")
    digits = np.rint(load_digits().images[:80] * (255 / 16)).astype(np.uint8)
    files = {f"B/{number}.png": encode(Image.fromarray(digit), "PNG") for number, digit in enumerate(digits)}
    files |= {f"A/{number}.png": encode(Image.fromarray(digit // 86), "PNG") for number, digit in enumerate(digits)}
    write_files(tmp_path / "mine", files | {"A/labels.yaml": b"[paper, grey, ink]"})
    prepare(DataParams(source="images", path=Path("mine"), image_size=8), WORKSPACE.prepared, processes=1)
    return tmp_path


@pytest.mark.usefixtures("home")
def test_label_maps_are_trained_on_scored_by_a_reader_shown_and_applied() -> None:
    source = read_manifest(WORKSPACE.prepared).spec.fields["source"]
    assert isinstance(source, LabelMapField)
    assert source.labels.classes == ("paper", "grey", "ink")
    make_reference()
    train("spade")
    evaluate("spade")
    out = WORKSPACE.evaluated("spade")
    assert set(read_scores(out / "scores.json", "evaluate")) == {"psnr", "ssim", "own_truth", "pixel_accuracy", "miou"}
    contents = read_contents(out)
    assert {"pairs.png", "pairs-worst.png", "translations.png"} <= {entry.file for entry in contents.pictures}
    assert "IoU of the reader" in {entry.title for entry in contents.tables}
    with Image.open(out / "pairs.png") as shown:
        assert shown.mode == "RGB"  # the maps are drawn in the colours of their classes
    model = json.loads((WORKSPACE.model("spade") / "model.json").read_text())
    assert model["spec"]["fields"]["source"]["labels"]["classes"] == ["paper", "grey", "ink"]
    translator = PictureTranslator(load_game(WORKSPACE.model("spade")))
    assert apply_to_folder(translator, Path("mine/A/0.png"), Path("made"), {}).written == ("0.png",)


@pytest.mark.usefixtures("home")
def test_the_announced_minutes_count_what_a_reader_takes_to_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def learn(*_: object) -> None:
        now[0] += 3.2  # seconds for 64 images; all else takes no time

    monkeypatch.setattr(trial, "train_segmenter", learn)
    monkeypatch.setattr(trial, "load_extractor", lambda *_: lambda images: images)
    monkeypatch.setattr(trial.time, "monotonic", lambda: now[0])
    found = bring_up_to_date()
    made = trial.estimate(found.jobs["spade"], WORKSPACE.prepared, found.params.evaluate)
    assert made.reference * 60 == pytest.approx(3.2 * 100 / 64), "0.1 kimg"
