"""Readers: whether an output is nearest to its own truth, and what a segmenter sees in photos of label maps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from scoring import write_data
from torch import Tensor

from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.context import EvalContext
from ganops.evaluation.extractors.kept_segmenter import segmenter_of
from ganops.evaluation.extractors.segmenter import SegmenterSettings
from ganops.evaluation.metric_groups import find_group
from ganops.evaluation.metrics.own_truth import nearest_is_own
from ganops.evaluation.metrics.segmentation import confusions, iou
from ganops.games.task import Task
from ganops.params import EvaluateParams
from ganops.workspace import WORKSPACE

LABELS = LabelMapField(size=16, labels=LabelTable(classes=("sky", "wall", "door")))
PHOTO = ImageField(channels=3, size=16)
COLOURS = torch.tensor([[40, 90, 220], [200, 190, 170], [90, 50, 20]], dtype=torch.uint8)


def test_the_nearest_truth_is_found_exactly() -> None:
    torch.manual_seed(0)
    truth = torch.randint(0, 256, (300, 1, 8, 8), dtype=torch.uint8)
    outputs = truth.clone()
    outputs[:10] = truth[10:20]  # nearer to another's
    assert nearest_is_own(outputs, truth).tolist() == [False] * 10 + [True] * 290
    same = truth[:1].repeat(2, 1, 1, 1)
    assert nearest_is_own(same, same).all()  # of equal truths each is the nearest


def test_own_truth_is_a_share_of_the_pairs() -> None:
    task = Task({"image": PHOTO}, {"source": PHOTO}, paired=True)
    spec = DataSpec(fields={"image": PHOTO, "source": PHOTO})
    group = find_group("own-truth")
    assert group.applies(task, spec)
    assert not group.applies(Task({"image": PHOTO}), spec)
    found = group.start(EvalContext(task, spec, spec, None, {}, EvaluateParams(pairwise_samples=8), 0, 10))
    truth = torch.randint(0, 256, (10, *PHOTO.shape), dtype=torch.uint8)
    outputs = torch.cat((truth[:3].flip(0), truth[3:]))
    for start in (0, 5):
        rows = (Rows({"image": each[start : start + 5]}) for each in (outputs, truth))
        found.update(None, *rows)
    result = found.compute()
    assert result.values["own_truth"].value == pytest.approx(6 / 8)  # the middle one of three stays
    assert result.settings == {"compared": 8}


def street(count: int, seed: int) -> Rows:
    """Label maps of a wall with a door below the sky, and photos in their colours with noise."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.zeros(count, 1, 16, 16, dtype=torch.uint8)
    for row in maps:
        top, left = (int(torch.randint(3, 10, (), generator=generator)) for _ in range(2))
        row[:, top:] = 1
        row[:, 11:, left : left + 4] = 2
    noise = torch.randint(-25, 26, (count, 3, 16, 16), generator=generator)
    photos = (COLOURS[maps[:, 0].long()].permute(0, 3, 1, 2).int() + noise).clamp(0, 255).to(torch.uint8)
    return Rows({"image": photos, "source": maps})


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(
        tmp_path_factory.mktemp("streets"), {"image": PHOTO, "source": LABELS}, street(96, 0), street(24, 1)
    )


def read(prepared: Path, outputs: Tensor, truth: Rows) -> dict[str, float]:
    spec = DataSpec(fields={"image": PHOTO, "source": LABELS})
    task = Task({"image": PHOTO}, {"source": LABELS}, paired=True)
    group, settings = find_group("segmentation"), {"segmentation": SegmenterSettings(kimg=1.6, width=8)}
    assert group.applies(task, spec)
    context = EvalContext(task, spec, spec, None, settings, EvaluateParams(), 0, len(truth), prepared=prepared)
    reading = group.start(context)
    reading.update(truth.only(("source",)), Rows({"image": outputs}), truth.only(("image",)))
    result = reading.compute()
    rows = {str(row[0]): row for row in result.tables["segmentation"].rows}
    ceiling = rows["mean IoU"][2]
    assert isinstance(ceiling, float)
    return {name: each.value for name, each in result.values.items()} | {"ceiling": ceiling}


def test_a_reader_sees_the_classes_of_real_photos_and_not_those_of_others(
    streets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where it is kept
    truth = street(24, 2)
    real = read(streets, truth["image"], truth)
    assert real["miou"] == real["ceiling"] > 0.9
    assert real["pixel_accuracy"] > 0.97
    other = read(streets, truth["image"].flip(0), truth)
    assert other["miou"] < 0.8 * other["ceiling"]
    grey = read(streets, torch.full_like(truth["image"], 128), truth)
    assert grey["miou"] < 0.5


def test_a_reader_is_trained_once(streets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings, truth = SegmenterSettings(kimg=0.032, width=4), street(4, 2)["image"]

    def labels(seed: int) -> Tensor:
        return segmenter_of(streets, "image", "source", settings, seed, torch.device("cpu")).labels(truth)

    made = labels(0)
    (file,) = WORKSPACE.segmenters.glob("*.safetensors")
    content = file.read_bytes()
    os.utime(file, (0, 0))
    assert torch.equal(labels(0), made)
    assert file.stat().st_mtime == 0  # not written again
    file.write_bytes(content[:100])  # damaged: trained again
    assert torch.equal(labels(0), made)
    assert file.read_bytes() == content
    labels(1)
    assert len(list(WORKSPACE.segmenters.glob("*.safetensors"))) == 2


def test_iou_is_overlap_over_union() -> None:
    wanted, seen = torch.tensor([[0, 0, 1, 1]]), torch.tensor([[0, 1, 1, 1]])
    found = iou(confusions(wanted, seen, 3))
    assert found[:2].tolist() == pytest.approx([1 / 2, 2 / 3])
    assert found[2].isnan()  # neither there nor seen
