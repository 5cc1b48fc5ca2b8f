"""Random Fourier features are what their formula says, in full precision."""

from __future__ import annotations

from math import pi

import pytest
import torch
from pydantic import ValidationError

from ganops.networks.fourier import FourierFeatures, FourierSettings


def layer(count: int = 2, slowest: float = 0.25, fastest: float = 4.0) -> FourierFeatures:
    return FourierFeatures(FourierSettings(count=count, slowest=slowest, fastest=fastest), inputs=2)


def test_a_point_becomes_itself_and_its_waves() -> None:
    made = layer()
    made.frequencies.copy_(torch.tensor([[1.0, 0.0], [0.5, 0.25]]))
    features = made(torch.tensor([[0.25, 1.0]]))[0].tolist()
    # Phases of a quarter turn, and of 0.125 + 0.25 turns.
    expected = torch.tensor([0.25, 1.0, 1.0, torch.tensor(0.75 * pi).sin(), 0.0, torch.tensor(0.75 * pi).cos()])
    assert features == pytest.approx(expected.tolist(), abs=1e-6)
    assert made.size == len(features)


def test_each_octave_has_as_many_waves_in_all_directions_and_they_belong_to_the_saved_state() -> None:
    torch.manual_seed(0)
    made = layer(count=4000, slowest=0.5, fastest=8.0)
    octaves = made.frequencies.norm(dim=1).log2().floor().long() + 1
    assert octaves.bincount().tolist() == pytest.approx([1000] * 4, rel=0.1)  # a standard deviation is 3 %
    quadrants = (made.frequencies[:, 0] > 0).long() * 2 + (made.frequencies[:, 1] > 0).long()
    assert quadrants.bincount().tolist() == pytest.approx([1000] * 4, rel=0.1)
    assert "frequencies" in made.state_dict()
    assert not list(made.parameters())


def test_a_fastest_wave_slower_than_the_slowest_is_refused() -> None:
    with pytest.raises(ValidationError):
        FourierSettings(slowest=2.0, fastest=1.0)


def test_phases_keep_their_digits_under_bfloat16() -> None:
    made, points = layer(count=16, fastest=40.0), torch.rand(8, 2)
    plain = made(points)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(made(points), plain)
