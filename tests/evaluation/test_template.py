"""The template of a metric works as it stands: copied among the others it is found, computed and described."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from scoring import score_images

import ganops.evaluation.metrics as package
from ganops.data.rows import Rows
from ganops.evaluation.evaluator import Evaluator
from ganops.evaluation.metric_groups import group_names
from ganops.evaluation.metric_names import all_metrics, describe

TEMPLATE = Path(__file__).resolve().parents[2] / "docs" / "templates" / "metric.py"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The template in one more folder of the package, for this test only."""
    shutil.copy(TEMPLATE, tmp_path / "template_metric.py")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    yield
    sys.modules.pop("ganops.evaluation.metrics.template_metric", None)


def test_copied_template_is_computed(copied: None, unseen: Rows, evaluator: Evaluator) -> None:
    params = evaluator.params.model_copy(update={"metrics": {"template-brightness": {"power": 2}}})
    found = score_images(replace(evaluator, params=params), [unseen["image"][:200]])
    assert found.scores["template_brightness"].value == pytest.approx(0, abs=0.1)
    assert found.scores.protocol.groups["template-brightness"] == {"power": 2.0}
    assert describe("template_brightness").title == "Brightness"
    assert "template_brightness" in all_metrics()
    assert group_names()[0] == "fid"
