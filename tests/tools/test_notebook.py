"""The notebook runs from its first cell to its last, on a training of some steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "first-steps.ipynb"


def test_every_cell_runs_and_the_model_generates(monkeypatch: pytest.MonkeyPatch, tracking_home: Path) -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(cell.get("outputs", []) == [] for cell in cells), "outputs are not kept in git"
    for name in ("params.yaml", "pipeline"):
        (tracking_home / name).symlink_to(ROOT / name)  # a checkout without models
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"]).replace("KIMG = 15", "KIMG = 0.2")
            exec(compile(source, cell["id"], "exec"), names)
    assert names["KIMG"] == 0.2
    assert names["trainer"].plan.kimg(names["trainer"].step) >= 0.2
    assert tuple(names["generated"].rows["image"].shape) == (2, 1, 32, 32)
    assert names["manifest"].counts["train"] > 1000
