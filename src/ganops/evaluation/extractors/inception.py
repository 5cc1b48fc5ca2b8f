"""Inception-v3 with the weights of the original FID, as pytorch-fid has ported it: the published FID and IS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torchvision
from pytorch_fid import inception as ported
from torch import Tensor, nn

from ganops.errors import EvaluationError
from ganops.evaluation.extractors.extractor import FeatureExtractor, digest_of, fold
from ganops.evaluation.extractors.weights import download
from ganops.evaluation.resize import Resize, as_rgb, resize_for_extractor
from ganops.networks.weight_files import load_state, sha256_of

SIZE = 299
FILE_NAME = "pt_inception-2015-12-05-6726825d.pth"
SHA256_PREFIX = "6726825d"
LAYERS = (
    *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2"),
    *("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
    *("Mixed_7a", "Mixed_7b", "Mixed_7c", "avgpool"),
)


class InceptionV3(FeatureExtractor):
    """2048 features after the last pool; logits (n, 1008) without the bias, as the first inception score had them.

    Szegedy et al. 2015, arXiv:1512.00567; weights of 2015-12-05.
    """

    name = "inception-v3"
    images_at_once = 16

    def __init__(
        self,
        state: Mapping[str, Tensor],
        resize: Resize = "pytorch-fid",
        device: torch.device | str = "cpu",
        weights_digest: str | None = None,
    ) -> None:
        network = build_network()
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise EvaluationError(
                "the weights are not those of the FID's Inception-v3", code="wrong-weights", found=str(error)[:300]
            ) from error
        fold(network.eval(), ("conv", "bn"))
        super().__init__(network, device)
        self.resize = resize
        self._resize: Resize = resize
        self.weights_digest = weights_digest or digest_of(state)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See FeatureExtractor."""
        values = resize_for_extractor(as_rgb(images), SIZE, self._resize).contiguous(memory_format=torch.channels_last)
        for layer in LAYERS:
            values = getattr(self.network, layer)(values)
        features = values.flatten(1)
        return features, features @ self.network.get_parameter("fc.weight").T


def build_network() -> nn.Module:
    """torchvision's Inception-v3 with the blocks in which TensorFlow's graph of 2015 differs, with fresh weights.

    pytorch-fid's own function downloads the weights immediately, so only its blocks are used.
    """
    network: nn.Module = torchvision.models.inception_v3(
        num_classes=1008, aux_logits=False, weights=None, init_weights=False
    )
    for name, width in (("5b", 192), ("5c", 256), ("5d", 288)):
        setattr(network, f"Mixed_{name}", ported.FIDInceptionA(width, pool_features=32 if name == "5b" else 64))
    for name, width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        setattr(network, f"Mixed_{name}", ported.FIDInceptionC(768, channels_7x7=width))
    network.Mixed_7b = ported.FIDInceptionE_1(1280)
    network.Mixed_7c = ported.FIDInceptionE_2(2048)
    return network


def load_inception(
    weights: Path | None, resize: Resize = "pytorch-fid", device: torch.device | str = "cpu"
) -> InceptionV3:
    """The extractor with the published weights: from `weights`, else from torch's cache, else downloaded there.

    Raises EvaluationError that names the two ways to get the file when it cannot be had.
    """
    path = weights or cached_path()
    if weights is None and not path.exists():
        try:
            download(ported.FID_WEIGHTS_URL, path, SHA256_PREFIX)
        except EvaluationError as error:
            raise EvaluationError(
                f"the weights of {InceptionV3.name} are not on this machine and cannot be downloaded",
                code="weights-missing",
                found=error.found or error.message,
                action=f"fetch {ported.FID_WEIGHTS_URL} elsewhere and either name the file in evaluate.weights or put "
                f"it at {path}; or choose evaluate.features: classifier or efficientnet-lite0",
            ) from error
    return InceptionV3(load_state(path, SHA256_PREFIX), resize, device, sha256_of(path))


def cached_path() -> Path:
    """Where torch keeps the file between runs."""
    return Path(torch.hub.get_dir()) / "checkpoints" / FILE_NAME
