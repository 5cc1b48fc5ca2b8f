"""`dvc repro` on points instead of images: every stage of the pipeline, from the formula to the registry."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tiny import SETTINGS, Checkout, clean_environment, make_checkout, merged, ran, records

pytestmark = pytest.mark.slow

POINTS = {"recipes": ["points"], "data": {"source": "ring2d"}}


def test_points_go_through_all_stages_once(tmp_path: Path) -> None:
    """As docs/data.md says it, with tiny settings; once all is done, nothing runs."""
    folder = make_checkout(tmp_path / "checkout", merged(SETTINGS, POINTS))
    checkout = Checkout(folder, clean_environment() | {"OMP_NUM_THREADS": "1", "GIT_CONFIG_GLOBAL": os.devnull})
    said = checkout.dvc("repro")
    assert ran(said) == {"prepare", "resolve", "reference", "train@points", "evaluate@points", "compare", "register"}
    scores = json.loads((folder / "results" / "evaluate" / "points" / "scores.json").read_text())["scores"]
    assert 1 <= scores["modes"]["value"] <= 8
    assert 0 <= scores["high_quality_modes"]["value"] <= 8
    assert scores["fid_classifier"]["value"] > 0, "points have a score to be compared by, too"
    assert records(folder) == {"runs": 1, "model_versions": 1}
    assert (folder / "results" / "compare" / "report.html").stat().st_size > 10_000
    assert ran(checkout.dvc("repro")) == set()
