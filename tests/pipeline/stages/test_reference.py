"""The reference stage: from prepared data and params.yaml to results/reference, with what it found in two lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evaluated_home import make_home

from ganops.errors import DataError, SettingsError
from ganops.evaluation.reference import load_reference
from ganops.evaluation.scores import load_scores
from pipeline.stages.reference import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with digits prepared."""
    monkeypatch.chdir(tmp_path)
    return make_home(tmp_path)


def test_makes_the_reference(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main()
    found = load_reference(home / "results" / "reference")
    assert len(found.columns["image"].splits["train"]) == 300
    assert found.description.classifier_accuracy is not None
    printed = capsys.readouterr().out
    assert "classifier features of 300 train, 100 test images; scores compare with the train split" in printed
    assert f"is right on {found.description.classifier_accuracy:.1%} of the test images" in printed
    row = json.loads((home / "results" / "reference" / "rows" / "real-test.json").read_text())
    assert row["title"] == "real test images (100)"
    assert "fid_classifier" in load_scores(row, "row")


def test_without_prepared_data(home: Path) -> None:
    (home / "data" / "prepared" / "manifest.json").unlink()
    with pytest.raises(DataError) as caught:
        main()
    assert caught.value.code == "manifest-missing"


def test_a_misspelt_metric_stops_before_any_work(home: Path) -> None:
    params = home / "params.yaml"
    params.write_text(params.read_text().replace("prdc", "prcd"))
    with pytest.raises(SettingsError) as caught:
        main()
    assert caught.value.code == "unknown-metric-group"
    assert "'prdc'" in caught.value.action
    assert not (home / "results").exists()
