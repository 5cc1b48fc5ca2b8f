"""The ring and the grid are those of the papers, brought into [-1, 1]."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganops.data.fields.category import CategoryField
from ganops.data.fields.vector import VectorField
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.data.prepare import prepare
from ganops.data.sources.mixtures import MixtureName, collect, mixture
from ganops.params import DataParams

# Name, number of modes, standard deviation in the papers, and their unit in ours.
PUBLISHED: list[tuple[MixtureName, int, float, float]] = [("ring2d", 8, 0.01, 0.8), ("grid2d", 25, 0.05, 0.2)]


@pytest.mark.parametrize(("name", "modes", "sigma", "unit"), PUBLISHED)
def test_points_have_the_published_centres_and_spread(name: MixtureName, modes: int, sigma: float, unit: float) -> None:
    collected = collect(name)
    label = collected.fields["label"]
    assert isinstance(label, CategoryField)
    assert collected.columns["vector"].shape == (110_000, 2)
    assert np.abs(collected.columns["vector"]).max() < 1
    points = collected.columns["vector"] / unit
    for mode, title in enumerate(label.classes):
        own = points[collected.columns["label"] == mode]
        # 4,000 points or more for each: their mean is off by sigma / 60, their spread by a hundredth.
        assert own.mean(axis=0) == pytest.approx([float(word) for word in title.split()], abs=0.06)
        assert own.std(axis=0) == pytest.approx(sigma, rel=0.06)
        assert len(own) == pytest.approx(110_000 / modes, rel=0.08)


def test_ring_has_radius_one_and_grid_spacing_two() -> None:
    ring, grid = (torch.tensor(mixture(name).centres) / unit for name, _, _, unit in PUBLISHED)
    assert ring.norm(dim=1).tolist() == pytest.approx([1.0] * 8)
    assert sorted({round(value, 4) for value in grid.flatten().tolist()}) == [-4, -2, 0, 2, 4]


def test_the_stage_packs_them_as_floats_and_says_what_they_are_drawn_from(tmp_path: Path) -> None:
    params = DataParams(source="ring2d")
    prepare(params, tmp_path / "once")
    prepare(params, tmp_path / "again")
    manifest, train = read_manifest(tmp_path / "once"), read_packed(tmp_path / "once", "train")
    assert train["vector"].dtype == torch.float32
    assert train["vector"].shape == (100_000, 2)
    assert manifest.spec.target == "vector"
    assert manifest.spec.field("vector", VectorField) == VectorField(size=2, mixture=mixture("ring2d"))
    assert manifest.digest == read_manifest(tmp_path / "again").digest
