"""Random Fourier features are what their formula says, in full precision."""

from __future__ import annotations

from math import pi

import pytest
import torch

from ganops.networks.fourier import FourierFeatures, FourierSettings


def layer(count: int = 2, scale: float = 1.0) -> FourierFeatures:
    return FourierFeatures(FourierSettings(count=count, scale=scale), inputs=2)


def test_a_point_becomes_itself_and_its_waves() -> None:
    made = layer()
    made.frequencies.copy_(torch.tensor([[1.0, 0.0], [0.5, 0.25]]))
    features = made(torch.tensor([[0.25, 1.0]]))[0].tolist()
    # Phases of a quarter turn, and of 0.125 + 0.25 turns.
    expected = torch.tensor([0.25, 1.0, 1.0, torch.tensor(0.75 * pi).sin(), 0.0, torch.tensor(0.75 * pi).cos()])
    assert features == pytest.approx(expected.tolist(), abs=1e-6)
    assert made.size == len(features)


def test_frequencies_have_the_asked_spread_and_belong_to_the_saved_state() -> None:
    torch.manual_seed(0)
    made = layer(count=4000, scale=3.0)
    assert float(made.frequencies.std()) == pytest.approx(3.0, rel=0.05)  # of 8,000 numbers: off by 0.8 %
    assert "frequencies" in made.state_dict()
    assert not list(made.parameters())


def test_phases_keep_their_digits_under_bfloat16() -> None:
    made, points = layer(count=16, scale=20.0), torch.rand(8, 2)
    plain = made(points)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(made(points), plain)
