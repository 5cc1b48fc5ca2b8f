"""Points instead of images: every stage of the pipeline, from the formula to the registry."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny import SETTINGS, make_checkout, merged, records

from ganops.evaluation.scores import read_scores
from ganops.workspace import WORKSPACE
from pipeline.stages import compare, evaluate, prepare, reference, register, resolve, train

POINTS = {"recipes": ["points"], "data": {"source": "ring2d"}}


@pytest.mark.slow
def test_points_go_through_all_stages(tracking_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/data.md says it, with tiny settings. DVC runs the stages as it does those of images."""
    folder = make_checkout(tmp_path / "points", merged(SETTINGS, POINTS))
    shutil.copy(tracking_home / "mlflow.db", folder)
    monkeypatch.chdir(folder)
    for stage in (prepare, resolve, reference):
        stage.main()
    train.main("points")
    evaluate.main("points")
    compare.main()
    register.main()
    scores = read_scores(WORKSPACE.evaluated("points") / "scores.json", "evaluate")
    assert 1 <= scores["modes"].value <= 8
    assert 0 <= scores["high_quality_modes"].value <= 8
    assert scores["fid_classifier"].value > 0, "points have a score to be compared by, too"
    assert records(folder) == {"runs": 1, "model_versions": 1}
    assert WORKSPACE.report.stat().st_size > 10_000
