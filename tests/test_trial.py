"""The minutes that are announced count all pictures that features are computed of."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from evaluated_home import make_home
from torch import Tensor

from ganops import trial
from ganops.workspace import WORKSPACE
from pipeline.stages.resolve import bring_up_to_date


def test_samples_and_real_images_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_home(tmp_path)
    monkeypatch.chdir(tmp_path)
    now = [0.0]

    def features(images: Tensor) -> Tensor:
        now[0] += len(images)  # a second for each image; all else takes no time
        return torch.zeros(len(images), 4)

    monkeypatch.setattr(trial, "load_extractor", lambda *_: features)
    monkeypatch.setattr(trial.time, "monotonic", lambda: now[0])
    found = bring_up_to_date()
    job = found.jobs["tiny"]
    settings = {"features": "efficientnet-lite0", "samples": 50, "real_samples": 60}
    made = trial.estimate(job, WORKSPACE.prepared, found.params.evaluate.model_copy(update=settings))
    assert made.reference * 60 == pytest.approx(60 + 60 + 50), "both splits, and the test once more as a model's"
    validated = made.recipe * 60 - 50
    assert validated > 0
    assert validated % min(job.settings.validation_samples, 200) == pytest.approx(0)
