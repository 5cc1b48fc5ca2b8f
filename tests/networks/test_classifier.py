"""The classifier inside a game: the sizes it takes, and that no row depends on the others."""

from __future__ import annotations

import pytest
import torch
from playing import DIGITS, domains_spec

from ganops.errors import SettingsError
from ganops.networks.classifier import ImageClassifier, ImageClassifierSettings


@pytest.mark.parametrize("size", [8, 17, 28, 64])
def test_the_classifier_takes_images_of_any_size(size: int) -> None:
    torch.manual_seed(0)
    network = ImageClassifier(ImageClassifierSettings(width=4), domains_spec(3, size, DIGITS))
    images = torch.rand(5, 3, size, size) * 2 - 1
    logits = network(images)
    assert logits.shape == (5, len(DIGITS))
    torch.testing.assert_close(network(images[2:3]), logits[2:3])


def test_the_classifier_needs_labels() -> None:
    with pytest.raises(SettingsError) as caught:
        ImageClassifier(ImageClassifierSettings(), domains_spec(1, 16))
    assert caught.value.code == "missing-field"
