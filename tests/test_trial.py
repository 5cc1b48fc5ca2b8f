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
    validated = made.scoring * 60 - 50
    assert validated > 0
    assert validated % min(job.settings.validation_samples, 200) == pytest.approx(0)


@pytest.mark.parametrize(
    ("training", "share"), [(20, 1.0), (50, 0.2), (400, 0.05), (100_000, 0.01)], ids=["short", "longer", "long", "huge"]
)
def test_a_first_look_ends_within_half_an_hour_where_a_hundredth_of_the_budget_does(
    training: float, share: float
) -> None:
    """Two recipes, one at a time, of which scores take 4 minutes each and the reference 1."""
    estimates = [trial.Estimate(training / 2, 4, 1)] * 2
    assert trial.first_look(estimates, 1) == share
    assert trial.minutes_of_all(estimates, 1, share) == pytest.approx(share * training + 9)
    assert trial.minutes_of_all(estimates, 2) == pytest.approx(training / 2 + 5), "both at a time"
