"""Settings from the command line, what stays of a recipe without its discriminator, and the picture of all answers."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from benchmarks.paired import changed, recipe_with, with_l1_alone
from benchmarks.side_by_side import GAP, NAMES, side_by_side


def test_settings_are_replaced_one_by_one_and_the_others_stay() -> None:
    values = {"budget_kimg": 30, "derived": {"source": {"kind": "noise", "sigma": 1.0}}, "ema": None}
    found = changed(values, ["derived.source.sigma=0.6", "budget_kimg=5", "ema.half_life_kimg=1e-1"])
    assert found == {
        "budget_kimg": 5,
        "derived": {"source": {"kind": "noise", "sigma": 0.6}},
        "ema": {"half_life_kimg": 0.1},
    }
    assert values["budget_kimg"] == 30
    assert values["derived"] == {"source": {"kind": "noise", "sigma": 1.0}}


def test_l1_alone_is_the_same_model_whatever_the_discriminator_is() -> None:
    """So it is trained once for all of them: models are named by the digest of their settings."""
    plain, other = recipe_with("denoise", []), recipe_with("denoise", ["networks.discriminator.layers=2"])
    assert plain.digest() != other.digest()
    assert with_l1_alone(plain).digest() == with_l1_alone(other).digest()
    assert with_l1_alone(plain).digest() != with_l1_alone(recipe_with("denoise", ["budget_kimg=5"])).digest()
    assert set(with_l1_alone(plain).networks) == {"generator"}


def test_answers_stand_in_rows_in_their_order(tmp_path: Path) -> None:
    rows = {name: torch.full((3, 1, 60, 60), level, dtype=torch.uint8) for name, level in {"a": 40, "b": 200}.items()}
    side_by_side(rows, tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.size == (NAMES + GAP + 3 * (60 + GAP), GAP + 2 * (60 + GAP))
        places = [(NAMES + GAP + 130, GAP + 30), (NAMES + GAP + 130, GAP + 92)]
        assert [drawn.getpixel(place) for place in places] == [40, 200]
