"""Widths of stages by the rule and as a list; where self-attention stands; truncated latents."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playing import DIGITS, spec_of

from ganops.errors import SettingsError
from ganops.networks.biggan import truncated
from ganops.networks.network import NETWORKS
from ganops.networks.widths import Widths

# Of each architecture: widths of its stages at 32 pixels.
STAGES: dict[str, tuple[int, ...]] = {
    "resnet-generator": (12, 8, 6, 4),
    "resnet-discriminator": (8, 6, 4),
    "biggan-generator": (12, 8, 6, 4),
    "r3gan-generator": (16, 16, 8, 8),
    "r3gan-discriminator": (16, 16, 8, 8),
    "dcgan-generator": (12, 8, 4),
    "dcgan-discriminator": (12, 8, 4),
    "dcgan-encoder": (12, 8, 4),
    "fastgan-generator": (12, 8, 6, 4),
    "fastgan-discriminator": (12, 8, 6, 4),
    "stylegan2-generator": (12, 8, 6, 4),
    "stylegan2-discriminator": (12, 8, 6, 4),
}


def build(kind: str, size: int = 32, **settings: Any) -> torch.nn.Module:
    small = {"latent_dim": 8} if "generator" in kind or "encoder" in kind else {}
    section = {"kind": kind} | small | settings
    return NETWORKS.build(section, "test", spec_of(3, size, DIGITS if kind.startswith("biggan") else ()))


def test_the_rule_doubles_up_to_a_most() -> None:
    assert Widths(width=8, growth=2, max_width=20).of([4, 8, 16, 32]) == [20, 20, 16, 8]
    assert Widths(width=8).of([7, 14, 28]) == [8, 8, 8]


def test_a_width_above_the_most_is_kept() -> None:
    assert Widths(width=64, growth=2, max_width=8).of([4, 8]) == [64, 64]


def test_a_list_of_another_length_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        build("stylegan2-generator", widths=[8, 4])
    assert (caught.value.code, caught.value.found) == ("widths-count", "8, 4")
    assert caught.value.expected == "4 numbers, for maps of 4, 8, 16, 32 pixels"


@pytest.mark.parametrize(("kind", "widths"), STAGES.items())
def test_stages_have_the_widths_of_the_list(kind: str, widths: tuple[int, ...]) -> None:
    network = build(kind, widths=widths)
    inputs = torch.randn(4, 8) if "generator" in kind else torch.randn(4, 3, 32, 32)
    labels = torch.arange(4) if kind.startswith("biggan") else None
    found = set[int]()

    def note(_module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
        if output.ndim == 4:
            found.add(output.shape[1])

    for module in network.modules():
        module.register_forward_hook(note)
    network(inputs) if labels is None else network(inputs, labels)
    assert found >= set(widths)


def test_grouped_convolutions_must_fit_each_width() -> None:
    with pytest.raises(SettingsError) as caught:
        build("r3gan-generator", widths=[16, 16, 16, 6])
    assert "12" in str(caught.value)


@pytest.mark.parametrize("kind", ["resnet-generator", "resnet-discriminator", "biggan-generator"])
def test_attention_stands_at_the_sizes_asked_for(kind: str) -> None:
    def weights(attention: list[Any]) -> int:
        network = build(kind, width=16, attention=attention)
        return sum(parameter.numel() for parameter in network.parameters())

    one = 2 * (2 * 16) + 8 * 16 + 16 * 8 + 1
    assert weights([16]) == weights(["half"]) == weights([]) + one
    assert weights([8, 16]) == weights([]) + 2 * one


@pytest.mark.parametrize(("kind", "size"), [("resnet-generator", 7), ("resnet-discriminator", 32)])
def test_attention_at_a_size_without_maps_is_refused(kind: str, size: int) -> None:
    with pytest.raises(SettingsError) as caught:
        build(kind, width=16, attention=[size])
    assert (caught.value.code, caught.value.found) == ("attention-size", str(size))


def test_half_the_size_is_left_out_where_the_network_does_not_halve() -> None:
    """So that a recipe with attention trains on the smallest images too."""
    discriminators = [build("resnet-discriminator", size=8, smallest=8, attention=asked) for asked in (["half"], [])]
    with_half, without = (list(each.state_dict()) for each in discriminators)
    assert with_half == without


def test_truncated_latents_keep_their_order_within_the_bounds() -> None:
    latents = torch.linspace(-4, 4, 101)[:, None]
    inside = truncated(latents, 0.5)
    assert inside.abs().max() <= 0.5
    assert (inside.diff(dim=0) > 0).all()
    torch.testing.assert_close(truncated(latents, 30.0), latents, rtol=0, atol=1e-5)


def test_truncation_changes_samples_and_not_training() -> None:
    torch.manual_seed(0)
    generator = build("biggan-generator", width=8, truncation=0.1, start="normal")
    latents, labels = torch.randn(4, 8), torch.arange(4)
    generator.eval()
    scaled = generator(latents, labels), generator(truncated(latents, 0.1), labels)
    assert not torch.equal(*scaled)
    generator.truncation = None
    torch.testing.assert_close(generator(truncated(latents, 0.1), labels), scaled[0])
