"""The template of a score works as it stands: copied among the others it is found, computed and described."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ganops.evaluation.metrics as package
from ganops.data.packed import PackedImages
from ganops.evaluation.evaluate import Evaluation
from ganops.evaluation.metric import all_groups, all_scores

TEMPLATE = Path(__file__).resolve().parents[2] / "docs" / "templates" / "score.py"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The template in one more folder of the package, for this test only."""
    shutil.copy(TEMPLATE, tmp_path / "template_score.py")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    all_groups.cache_clear()
    yield
    all_groups.cache_clear()
    sys.modules.pop("ganops.evaluation.metrics.template_score", None)


def test_copied_template_is_computed(copied: None, unseen: PackedImages, score: Callable[..., Evaluation]) -> None:
    found = score(unseen.images[:200], scores=("template-brightness",))
    assert found.scores["template_brightness"].value == pytest.approx(0, abs=0.1)
    assert all_scores()["template_brightness"].title == "Brightness"
    assert next(iter(all_groups())) == "fid"
