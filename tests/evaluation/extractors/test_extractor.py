"""What holds for every extractor: batches do not matter, bad images and NaN are refused, digests tell weights apart."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.errors import EvaluationError
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.extractors.extractor import FeatureExtractor, digest_of, fold
from ganops.evaluation.validation_reference import VALIDATION


class Means(FeatureExtractor):
    """Each image's mean as its only feature."""

    name, weights_digest, resize = "means", "0" * 64, "none"

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        values = images.float().mean(dim=(1, 2, 3)).unsqueeze(1)
        return self.network(values), values


@pytest.mark.parametrize("images_at_once", [None, 1, 7, 1000])
def test_how_many_images_go_through_together_does_not_matter(
    reference_folder: Path, unseen: Rows, images_at_once: int | None
) -> None:
    extractor, images = load_classifier(reference_folder / VALIDATION), unseen["image"][:100]
    whole = extractor(images)
    extractor.images_at_once = images_at_once
    # Convolutions of other batch sizes add up in another order.
    torch.testing.assert_close(extractor(images).features, whole.features, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(extractor(images).logits, whole.logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "images",
    [torch.zeros(2, 1, 8, 8), torch.zeros(1, 8, 8, dtype=torch.uint8), torch.zeros(2, 4, 8, 8, dtype=torch.uint8)],
)
def test_other_than_uint8_images_are_refused(images: Tensor) -> None:
    with pytest.raises(EvaluationError) as caught:
        Means(nn.Identity(), "cpu")(images)
    assert caught.value.code == "wrong-form"


def test_a_network_that_gives_nan_is_refused() -> None:
    broken = nn.Linear(1, 1)
    nn.init.constant_(broken.weight, torch.nan)
    with pytest.raises(EvaluationError) as caught:
        Means(broken, "cpu")(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
    assert caught.value.code == "features-not-finite"


def test_digests_tell_names_values_and_shapes_apart() -> None:
    one = {"a": torch.zeros(2, 3)}
    names, values, shapes = {"b": torch.zeros(2, 3)}, {"a": torch.ones(2, 3)}, {"a": torch.zeros(3, 2)}
    types = {"a": torch.zeros(2, 3).half()}
    assert len({digest_of(weights) for weights in (one, names, values, shapes, types)}) == 5
    assert digest_of(one) == digest_of({"a": torch.zeros(3, 2).T})


def test_folding_changes_nothing_but_rounding() -> None:
    torch.manual_seed(0)
    network = nn.Module()
    network.conv, network.bn = nn.Conv2d(3, 5, 3, bias=False), nn.BatchNorm2d(5)
    nn.init.normal_(network.bn.running_mean)
    nn.init.uniform_(network.bn.running_var, 0.5, 2)
    network.eval()
    images = torch.rand(2, 3, 9, 9)
    expected = network.bn(network.conv(images))
    fold(network, ("conv", "bn"))
    assert isinstance(network.bn, nn.Identity)
    torch.testing.assert_close(network.conv(images), expected, rtol=1e-5, atol=1e-5)
