"""A seed belongs to one place."""

from __future__ import annotations

import torch

from ganops.seeds import seed_for


def test_places_give_different_numbers_on_the_cpu() -> None:
    places = [(seed, step, turn) for seed in (0, 1, 2**31 - 1) for step in (0, 1, 2**20, 2**40) for turn in (0, 1)]
    drawn = {float(torch.randn(1, generator=torch.Generator().manual_seed(seed_for(*place)))) for place in places}
    assert len(drawn) == len(places)
    assert seed_for(1, 23) != seed_for(12, 3)
    assert all(0 <= seed_for(*place) < 2**63 for place in places)
