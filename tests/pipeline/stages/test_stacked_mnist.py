"""Stacked MNIST through the stages, and its modes counted: with one picture of each digit all numbers are known."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from math import log
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluated_home import RECIPE
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

from ganops.data.packed import read_packed
from ganops.data.sources import stacked_mnist
from ganops.data.spec import IMAGE, LABEL
from ganops.evaluation.evaluate import open_evaluator
from ganops.evaluation.evaluator import outputs_only
from ganops.evaluation.reference import load_reference
from ganops.evaluation.scores import read_scores
from ganops.games.task import Task
from ganops.resolved import load_params
from ganops.workspace import WORKSPACE
from pipeline.stages.evaluate import main as evaluate
from pipeline.stages.prepare import main as prepare
from pipeline.stages.reference import describe
from pipeline.stages.reference import main as make_reference
from pipeline.stages.train import main as train

PARAMS = """\
seed: 7
recipes: [tiny]
data: {source: stacked-mnist, home: raw, image_size: 8, channels: 3, test_share: 0.2, max_rejected: 0}
train: {device: cpu, sample_images: 4, sample_times: 1, validation_samples: 50}
evaluate:
  samples: 1000
  real_samples: 1000
  metrics: {fid: {}, modes: {}, by-class: {}}
  classifier: {max_kimg: 4, width: 4}
"""


@pytest.fixture(scope="module")
def home(tracking_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout with the first picture of each of scikit-learn's digits as MNIST, stacked into fewer images."""
    folder = tmp_path_factory.mktemp("stacked")
    (folder / ".dvc").mkdir()
    (folder / "params.yaml").write_text(PARAMS)
    recipes = folder / "pipeline" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "tiny.yaml").write_text(RECIPE.model_copy(update={"budget_kimg": 0.1}).model_dump_json())
    shutil.copy(tracking_database, folder / "mlflow.db")
    pictures = (load_digits().images[:10] * (255 / 16)).astype(np.uint8)  # of 0 to 9, in this order
    for split in ("train", "t10k"):
        write_idx(folder / "raw" / "mnist" / f"{split}-images-idx3-ubyte", pictures)
        write_idx(folder / "raw" / "mnist" / f"{split}-labels-idx1-ubyte", np.arange(10, dtype=np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(folder)
        for split in stacked_mnist.COUNTS:
            patch.setitem(stacked_mnist.COUNTS, split, 15_000)  # enough for all 1000 numbers to come up
        prepare()
        make_reference()
        yield folder


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes())


def count(images: Tensor) -> tuple[float, float]:
    """Modes and their divergence."""
    evaluator = open_evaluator(WORKSPACE.reference, WORKSPACE.prepared, load_params().evaluate, 7, "cpu")
    spec = evaluator.reference.description.spec
    task = Task(outputs={IMAGE: spec.fields[IMAGE]})
    groups = {name: chosen for name, chosen in evaluator.groups(task).chosen.items() if name == "modes"}
    context = evaluator.context(groups, task, spec, len(images))
    scores = evaluator.measure(outputs_only([images], IMAGE), groups, context).scores
    return scores["modes"].value, scores["mode_kl"].value


def test_a_classifier_too_weak_for_counting_is_told(home: Path) -> None:
    made = load_reference(WORKSPACE.reference).description
    assert made.channel_accuracy == 1  # ten pictures are learnt by heart
    assert describe(made).endswith("which is 100.00% of their channels")
    # 0.99 cubed is 0.970: of three digits all must be right.
    assert "below 99%" not in describe(made.model_copy(update={"classifier_accuracy": 0.971}))
    assert "below 99%: the modes it counts do not compare" in describe(
        made.model_copy(update={"classifier_accuracy": 0.970})
    )


def test_every_number_once_is_all_modes_and_no_divergence(home: Path) -> None:
    test = read_packed(WORKSPACE.prepared, "test")
    _, first = np.unique(test[LABEL].numpy(), return_index=True)
    modes, divergence = count(test[IMAGE][torch.from_numpy(first)])
    assert modes == 1000
    assert divergence == pytest.approx(0, abs=1e-9)


def test_one_number_alone_is_one_mode(home: Path) -> None:
    """And two, the second in a single image of a thousand, are two: papers ask for no more."""
    test = read_packed(WORKSPACE.prepared, "test")
    one = test[IMAGE][test[LABEL] == 207][:1]
    modes, divergence = count(one.expand(1000, -1, -1, -1))
    assert modes == 1
    assert divergence == pytest.approx(log(1000))
    other = test[IMAGE][test[LABEL] == 702][:1]
    modes, divergence = count(torch.cat((one.expand(999, -1, -1, -1), other)))
    assert modes == 2
    assert divergence == pytest.approx(0.999 * log(999))  # a thousandth is the other's right share


def test_a_recipe_trains_on_them_and_is_scored(home: Path) -> None:
    train("tiny")
    evaluate("tiny")
    scores = read_scores(WORKSPACE.evaluated("tiny") / "scores.json", "evaluate")
    assert {"fid_classifier", "modes", "mode_kl"} <= set(scores)
    assert 1 <= scores["modes"].value <= 1000
    # A distance of one image in each of 1000 classes would not be a number: there is neither the score nor the table.
    assert "intra_fid" not in scores
    assert not (WORKSPACE.evaluated("tiny") / "classes.csv").exists()
