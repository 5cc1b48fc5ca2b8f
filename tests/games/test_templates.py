"""The templates of docs/templates work as they stand: copied, found by their kind, played."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
import torch
from playing import optimizers_of, recipe, run_step, spec_of

from ganops.data.rows import Rows
from ganops.games.build import build_game
from ganops.games.game import GAMES
from ganops.networks.network import NETWORKS

TEMPLATES = Path(__file__).resolve().parents[2] / "docs" / "templates"


@pytest.fixture
def _copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both templates copied under a new kind and imported, known in this test only."""
    for kinds in (NETWORKS, GAMES):
        kinds.names()
        monkeypatch.setattr(kinds, "_known", dict(kinds._known))
    for name in ("network", "game"):
        path = Path(shutil.copy(TEMPLATES / f"{name}.py", tmp_path / f"my_{name}.py"))
        path.write_text(path.read_text().replace("template-", "my-"))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)


@pytest.mark.usefixtures("_copied")
def test_copied_templates_train() -> None:
    torch.manual_seed(0)
    sections = {
        "game": {"kind": "my-game", "loss": "non-saturating", "brightness_weight": 10.0},
        "networks__generator": {"kind": "my-generator", "latent_dim": 5, "width": 16},
    }
    spec = spec_of(3, 8)
    game = build_game(recipe(**sections), spec)
    optimizers, batch = optimizers_of(game, lr=1e-2), Rows({"image": torch.full((16, 3, 8, 8), 0.5)})
    terms = []
    for step in range(30):
        terms.append(run_step(game, batch, step, optimizers)["generator"].losses["brightness"].item())
    assert terms[0] > 1.0  # fakes begin grey: 10 times the square of 0.5
    assert terms[-1] < terms[0] / 4
