"""What all feature extractors share: stored samples in, finite float32 features and logits out, on every device."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganops.errors import EvaluationError
from ganops.evaluation.precision import full_float32
from ganops.evaluation.resize import check_stored


@dataclass(frozen=True)
class Activations:
    """features: (n, d) float32; logits: (n, k) float32, before any softmax. Both on the CPU."""

    features: Tensor
    logits: Tensor

    def __len__(self) -> int:
        return len(self.features)


class FeatureExtractor(ABC):
    """A frozen network that scores are computed with.

    name: as params.yaml calls it.
    weights_digest: sha256 of the weights; together with `resize` it identifies the extractor.
    resize: how images get the network's size; "none" where they are taken as they are.
    classes: what the logits stand for where they are the data's own classes, else empty.
    images_at_once: how many images pass the network together on a CPU: with more, the feature maps of a deep network
        leave the cache, which halves the speed.
    """

    name: str
    weights_digest: str
    resize: str
    classes: tuple[str, ...] = ()
    images_at_once: int | None = None

    def __init__(self, network: nn.Module, device: torch.device | str) -> None:
        self.device = torch.device(device)
        self.network = network.to(self.device).eval()
        self.network.to(memory_format=torch.channels_last)  # pyrefly: ignore[no-matching-overload]  # torch's stub lacks it

    @abstractmethod
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, d) and logits (n, k) of images (n, C, H, W) in 0..255, or vectors, on the extractor's device."""

    def __call__(self, images: Tensor) -> Activations:
        """Features and logits of a stored batch; raises EvaluationError for anything else and for NaN."""
        check_stored(images)
        return self.activations(images)

    @torch.inference_mode()
    def activations(self, images: Tensor) -> Activations:
        """Features and logits of samples, images in 0..255 as uint8 or float; raises EvaluationError for NaN."""
        at_once = self.images_at_once if self.device.type == "cpu" else None
        with full_float32():
            parts = [self.forward(part.to(self.device)) for part in torch.split(images, at_once or len(images))]
        features, logits = (torch.cat([part[index].float() for part in parts]).cpu() for index in (0, 1))
        activations = Activations(features, logits)
        if not (torch.isfinite(activations.features).all() and torch.isfinite(activations.logits).all()):
            raise EvaluationError(
                f"the features of {self.name} hold NaN or infinity",
                code="features-not-finite",
                action="the weight file is damaged or of another network: fetch it again",
            )
        return activations


def fold(network: nn.Module, *pairs: tuple[str, str]) -> None:
    """Fold batch normalisation into the convolution before it: the same numbers up to rounding, one pass fewer.

    pairs: names of attributes (convolution, normalisation); every module of `network` that has both is changed.
    """
    for module in network.modules():
        for convolution, normalisation in pairs:
            if hasattr(module, convolution) and hasattr(module, normalisation):
                folded = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, normalisation))
                setattr(module, convolution, folded)
                setattr(module, normalisation, nn.Identity())


def digest_of(weights: Mapping[str, Tensor]) -> str:
    """sha256 over names, types, shapes and bytes of weights."""
    hasher = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        hasher.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        hasher.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return hasher.hexdigest()
