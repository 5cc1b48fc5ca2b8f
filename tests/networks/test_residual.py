"""Spectral norm against the singular value decomposition; attention and class-conditional norms by hand."""

from __future__ import annotations

import pytest
import torch
from playing import DIGITS, spec_of
from torch.nn.utils import parametrize

from ganops.errors import SettingsError
from ganops.networks.attention import SelfAttention
from ganops.networks.conditioning import ConditionalBatchNorm2d
from ganops.networks.network import NETWORKS
from ganops.networks.residual import Layers


@pytest.mark.parametrize("kind", ["resnet-discriminator", "biggan-generator", "fastgan-discriminator"])
def test_spectral_norm_makes_the_largest_singular_value_one(kind: str) -> None:
    torch.manual_seed(0)
    section = {"kind": kind, "width": 8, "max_width": 16} | ({"latent_dim": 8} if kind == "biggan-generator" else {})
    network = NETWORKS.build(section, "test", spec_of(3, 32, DIGITS))
    normed = [m for m in network.modules() if parametrize.is_parametrized(m, "weight")]
    assert len(normed) > 8
    for module in normed:
        for _ in range(50):  # power iterations: each access of the weight is one
            weight = module.weight
        largest = torch.linalg.svdvals(weight.detach().flatten(1))[0]
        if isinstance(module, torch.nn.ConvTranspose2d):
            continue  # normed over its other dimension
        assert largest.item() == pytest.approx(1.0, abs=0.02)  # what fifty iterations leave where two values are close


def test_power_iteration_rests_in_eval_mode() -> None:
    layer = Layers(spectral=True).conv(4, 4, 3).eval()
    assert torch.equal(layer.weight, layer.weight)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    layer(torch.randn(1, 4, 4, 4))
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())


def test_attention_starts_as_the_identity_and_reaches_every_place() -> None:
    attention = SelfAttention(16, Layers(spectral=False))
    maps = torch.randn(1, 16, 8, 8, requires_grad=True)
    assert torch.equal(attention(maps), maps)
    torch.nn.init.ones_(attention.share)
    (reach,) = torch.autograd.grad(attention(maps)[0, :, 0, 0].sum(), maps)
    assert (reach.abs().sum(dim=1) > 0).float().mean() > 0.3  # all places but those a 2x2 maximum passes over


def test_class_conditional_norm_scales_by_one_plus_gain() -> None:
    gain, bias = (torch.nn.Linear(2, 3, bias=False) for _ in range(2))
    with torch.no_grad():
        gain.weight.copy_(torch.tensor([[0.0, 1.0]] * 3))
        bias.weight.copy_(torch.tensor([[0.0, 5.0]] * 3))
    norm = ConditionalBatchNorm2d(3, gain, bias)
    maps = torch.randn(2, 3, 4, 4)
    plain = torch.nn.functional.batch_norm(maps, None, None, training=True)
    out = norm(maps, torch.eye(2))
    torch.testing.assert_close(out[0], plain[0])
    torch.testing.assert_close(out[1], 2 * plain[1] + 5)


@pytest.mark.parametrize("kind", ["resnet-generator", "biggan-generator", "stylegan2-generator", "r3gan-generator"])
def test_generators_depend_on_the_label(kind: str) -> None:
    torch.manual_seed(0)
    labels = {"resnet-generator": "norm", "stylegan2-generator": "mapping", "r3gan-generator": True}.get(kind)
    section = {"kind": kind, "width": 16, "latent_dim": 8} | ({"labels": labels} if labels else {})
    generator = NETWORKS.build(section, "test", spec_of(1, 28, DIGITS))
    with torch.no_grad():
        for parameter in generator.parameters():  # gains and residual branches start at zero
            parameter.add_(0.1 * torch.randn_like(parameter))
    generator.eval()
    latents = torch.randn(1, 8).expand(2, -1)
    same, other = generator(latents, torch.tensor([1, 1])), generator(latents, torch.tensor([1, 2]))
    torch.testing.assert_close(same[0], same[1])
    assert not torch.allclose(other[0], other[1], atol=1e-4)


@pytest.mark.parametrize(
    "section",
    [
        {"kind": "biggan-generator"},
        {"kind": "resnet-discriminator", "labels": "projection"},
        {"kind": "dcgan-generator", "labels": "one-hot"},
        {"kind": "mlp-discriminator", "labels": "embedding"},
    ],
)
def test_networks_with_labels_are_refused_for_data_without(section: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build(section, "test", spec_of(1, 28))
    assert caught.value.code == "no-classes"
