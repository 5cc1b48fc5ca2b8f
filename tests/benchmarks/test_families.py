"""The picture of families names shipped recipes, and draws the panels that are there."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchmarks.families import CAPTION, COLUMNS, GAP, PANEL, RECIPES, assemble, families
from ganops.params import DataParams


def test_every_family_names_a_shipped_recipe_and_valid_data() -> None:
    for family in families(Path("photos.zip")).values():
        assert (RECIPES / f"{family.recipe}.yaml").exists()
        DataParams.model_validate(family.params)


def test_panels_that_are_there_are_drawn_in_order_four_in_a_row(tmp_path: Path) -> None:
    known = families(None)
    names = list(known)[1:6]
    for shade, name in enumerate(names):
        Image.new("L", (PANEL, PANEL), 40 * shade).save(tmp_path / f"{name}.png")
    drawn = assemble(known, tmp_path).convert("L")
    assert drawn.size == (COLUMNS * (PANEL + GAP) + GAP, 2 * (PANEL + CAPTION + GAP) + GAP)
    line = PANEL + CAPTION + GAP
    middles = [(GAP + place % COLUMNS * (PANEL + GAP) + 9, GAP + place // COLUMNS * line + 9) for place in range(5)]
    assert [drawn.getpixel(place) for place in middles] == [0, 40, 80, 120, 160]
