"""StyleGAN2: filters, modulation against per-sample weights, mixing, noise, truncation."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from playing import spec_of

from ganops.networks.equalized import EqualConv, ModulatedConv
from ganops.networks.network import NETWORKS
from ganops.networks.stylegan2 import StyleganGenerator


def small(**section: object) -> StyleganGenerator:
    torch.manual_seed(0)
    settings = {"kind": "stylegan2-generator", "width": 4, "max_width": 8, "latent_dim": 6, "mapping": 2, **section}
    generator = NETWORKS.build(settings, "test", spec_of(1, 32))
    assert isinstance(generator, StyleganGenerator)
    return generator


@pytest.mark.parametrize("up", [False, True])
def test_modulation_is_that_of_weights_made_for_each_sample(up: bool) -> None:
    """Equations 1 to 3 of arXiv:1912.04958: w' = s w, w'' = w' / sqrt(sum of w'^2 + 1e-8), for each sample its own."""
    torch.manual_seed(0)
    layer = ModulatedConv(4, 5, 3, 6, up=up)
    maps, style = torch.randn(3, 4, 8, 8), torch.randn(3, 6)
    expected = []
    for one, scales in zip(maps, layer.style(style), strict=True):
        weight = layer.weight * layer.scale * scales[None, :, None, None]
        weight = weight * (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).rsqrt()
        if layer.blur is None:
            expected.append(F.conv2d(one[None], weight, padding=1))
        else:
            expected.append(layer.blur(F.conv_transpose2d(one[None], weight.transpose(0, 1), stride=2), 1))
    torch.testing.assert_close(layer(maps, style), torch.cat(expected), atol=1e-5, rtol=1e-4)
    assert layer(maps, style).shape == (3, 5, 16 if up else 8, 16 if up else 8)


def test_demodulated_maps_have_unit_variance() -> None:
    torch.manual_seed(0)
    maps = ModulatedConv(64, 64, 3, 6)(torch.randn(8, 64, 16, 16), 3 * torch.randn(8, 6))
    assert maps.std().item() == pytest.approx(1.0, abs=0.1)  # less at the edges, where zeros come in


def test_down_convolution_halves() -> None:
    for size in (1, 3):
        assert EqualConv(2, 3, size, down=True)(torch.randn(1, 2, 14, 14)).shape == (1, 3, 7, 7)


def test_generator_is_deterministic_in_eval_mode_and_noisy_in_training() -> None:
    generator = small()
    for conv in generator.convs:
        torch.nn.init.ones_(conv.strength)
    latents = torch.randn(2, 6)
    assert not torch.equal(generator(latents), generator(latents))
    generator.eval()
    assert torch.equal(generator(latents), generator(latents))
    assert generator(latents).abs().max() <= 1


def test_mixing_takes_some_layers_from_another_latent() -> None:
    generator = small(mixing=1.0)
    styles = generator.styles(torch.randn(16, 6))
    mixed = generator.mix(styles, None)
    kept = (mixed == styles).all(dim=2)
    assert kept[:, 0].all()
    assert not kept[:, -1].any()
    assert (kept.int().diff(dim=1) <= 0).all()  # once over, the second latent stays
    assert len({row.sum().item() for row in kept}) > 1


def test_truncation_pulls_to_the_mean_style() -> None:
    whole, half = small().eval(), small(truncation=0.5).eval()
    half.load_state_dict(whole.state_dict())
    latents = torch.randn(4, 6)
    styles = whole.styles(latents)
    middle = whole.style_mean.lerp(styles, 0.5)
    torch.testing.assert_close(half(latents), whole.synthesize(middle).clamp(-1, 1))
    half.truncation = None  # all of the variety
    torch.testing.assert_close(half(latents), whole(latents))


def test_mean_style_follows_training_only() -> None:
    generator = small()
    generator(torch.randn(8, 6))
    moved = generator.style_mean.clone()
    assert moved.abs().sum() > 0
    generator.eval()(torch.randn(8, 6))
    assert torch.equal(generator.style_mean, moved)


def test_noise_and_bias_leave_maps_in_their_precision() -> None:
    layer, maps, style = ModulatedConv(4, 5, 3, 6), torch.randn(3, 4, 8, 8), torch.randn(3, 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(maps, style, torch.randn(3, 1, 8, 8)).dtype == torch.bfloat16
