"""Layers that look at a whole batch, by hand; and packing."""

from __future__ import annotations

import pytest
import torch
from playing import spec_of

from ganops.errors import SettingsError
from ganops.networks.minibatch import MinibatchDeviation, MinibatchDiscrimination
from ganops.networks.network import NETWORKS


def test_deviation_is_zero_for_equal_images_and_one_for_images_at_plus_and_minus_one() -> None:
    layer = MinibatchDeviation(group=2)
    assert layer(torch.ones(2, 3, 4, 4))[:, 3].max().item() == pytest.approx(1e-4, abs=1e-5)  # sqrt(1e-8)
    maps = torch.stack((torch.ones(3, 4, 4), -torch.ones(3, 4, 4)))
    plane = layer(maps)[:, 3]
    torch.testing.assert_close(plane, torch.ones(2, 4, 4))


def test_groups_do_not_see_each_other_and_odd_batches_work() -> None:
    maps = torch.randn(4, 2, 3, 3)
    alone = MinibatchDeviation(group=2)(maps[[0, 2]])
    torch.testing.assert_close(MinibatchDeviation(group=2)(maps)[[0, 2]], alone)
    assert MinibatchDeviation(group=4)(torch.randn(7, 2, 3, 3)).shape == (7, 3, 3, 3)


def test_discrimination_counts_equal_images() -> None:
    """Equal images are at distance 0, and e^0 = 1 for each of the others."""
    layer = MinibatchDiscrimination(6, kernels=3)
    out = layer(torch.randn(1, 6).expand(5, -1))
    torch.testing.assert_close(out[:, 6:], torch.full((5, 3), 4.0))
    assert layer(100 * torch.randn(5, 6))[:, 6:].max() < 0.1


@pytest.mark.parametrize("kind", ["mlp-discriminator", "dcgan-discriminator"])
def test_packs_share_a_logit(kind: str) -> None:
    torch.manual_seed(0)
    section = {"kind": kind, "pack": 2} | ({"norm": "none", "width": 4} if kind.startswith("dcgan") else {})
    discriminator = NETWORKS.build(section, "test", spec_of(3, 28))
    images = torch.randn(6, 3, 28, 28)
    logits = discriminator(images)
    assert logits.shape == (3,)
    changed = images.clone()
    changed[1] = 0
    assert (discriminator(changed) != logits).tolist() == [True, False, False]
    with pytest.raises(SettingsError) as caught:
        discriminator(images[:5])
    assert (caught.value.code, caught.value.found) == ("pack-size", "5")


def test_packs_with_labels_are_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        NETWORKS.settings({"kind": "dcgan-discriminator", "pack": 2, "labels": "one-hot"}, "recipe")
    assert "pack" in caught.value.expected
