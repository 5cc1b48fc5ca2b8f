"""The small classifier of the data's own classes: the extractor that needs no network connection and fits digits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import ceil, log2
from pathlib import Path

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ganops.atomic import atomic_path, write_text
from ganops.data.packed import PackedImages
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.extractors.extractor import FeatureExtractor, digest_of
from ganops.evaluation.extractors.mixture import MixtureNetwork
from ganops.evaluation.extractors.stacked import StackedNetwork
from ganops.params import ClassifierParams
from ganops.settings import Settings

FEATURES = 128
SMALLEST_MAP = 4  # strided blocks until the feature map is at most this wide
WIDEST = 8  # channels grow to at most this many times the first width


class ClassifierDescription(Settings):
    """What classifier.json says: enough to build the network again, and how good it is.

    accuracy: share of the held-out images whose class it finds.
    """

    spec: DataSpec
    width: int = Field(ge=4)
    accuracy: float = Field(ge=0, le=1)


class ClassifierNetwork(nn.Module):
    """Strided convolutions, a layer of 128 features, a layer of logits."""

    def __init__(self, spec: DataSpec, width: int) -> None:
        super().__init__()
        depth = max(1, ceil(log2(spec.image_size / SMALLEST_MAP)))
        widths = [spec.channels, *(width * min(2**level, WIDEST) for level in range(depth))]
        self.body = nn.Sequential(*(_block(*pair) for pair in pairwise(widths)))
        # Each block halves the size, rounding up.
        side = ceil(spec.image_size / 2**depth)
        self.features = nn.Sequential(
            nn.Flatten(), nn.Linear(widths[-1] * side**2, FEATURES, bias=False), nn.BatchNorm1d(FEATURES), nn.ReLU()
        )
        self.logits = nn.Linear(FEATURES, len(spec.classes))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, 128) and logits (n, classes) of images (n, C, H, W) in 0..255."""
        scaled = (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        features = self.features(self.body(scaled))
        return features, self.logits(features)


Network = ClassifierNetwork | StackedNetwork | MixtureNetwork


class Classifier(FeatureExtractor):
    """The classifier as a extractor: images at their own size, logits of the data's own classes."""

    name = "classifier"
    resize = "none"

    def __init__(
        self,
        network: Network,
        description: ClassifierDescription,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(network, device)
        self.description = description
        self.classes = description.spec.classes
        self.weights_digest = digest_of(network.state_dict())

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See FeatureExtractor; raises EvaluationError for images of another shape than the classifier was trained on."""
        if tuple(images.shape[1:]) != self.description.spec.shape:
            raise EvaluationError(
                "the classifier was trained on images of another shape",
                expected=str(self.description.spec.shape),
                found=str(tuple(images.shape[1:])),
            )
        return self.network(images)  # type: ignore[no-any-return]  # nn.Module.__call__ is untyped

    def save(self, folder: Path) -> None:
        """Write classifier.safetensors and classifier.json."""
        with atomic_path(folder / "classifier.safetensors") as temporary:
            save_file(
                {name: tensor.contiguous().cpu() for name, tensor in self.network.state_dict().items()}, temporary
            )
        write_text(folder / "classifier.json", self.description.model_dump_json(indent=2) + "\n")


def load_classifier(folder: Path, device: torch.device | str = "cpu") -> Classifier:
    """Read what `save` wrote; raises EvaluationError when a file is missing or damaged."""
    try:
        description = ClassifierDescription.model_validate_json((folder / "classifier.json").read_text("utf-8"))
        network = _network(description.spec, description.width)
        network.load_state_dict(load_file(folder / "classifier.safetensors"))
    except (OSError, ValidationError, SafetensorError, RuntimeError) as error:
        raise EvaluationError(
            f"{folder} holds no usable classifier",
            found=str(error),
            action="make it anew: dvc repro --force reference",
        ) from error
    return Classifier(network, description, device)


def train_classifier(
    train: PackedImages,
    test: PackedImages,
    spec: DataSpec,
    params: ClassifierParams,
    seed: int,
    device: torch.device | str = "cpu",
    report: Callable[[int, str], None] | None = None,
) -> Classifier:
    """Train the classifier on labelled images; the same seed gives the same weights on the same machine.

    Where the data come from a known mixture there is nothing to train: its formula is the best classifier.

    The learning rate rises and falls once (Smith and Topin 2017, arXiv:1708.07120). The number of epochs is
    `params.epochs`, or fewer where these would show more than `params.max_kimg` thousand images.
    report: called with the number of images shown so far and a note.
    Raises EvaluationError where the data have no classes, only one, or too few images.
    """
    labels = _check(train, spec)
    if spec.mixture is not None:
        best = MixtureNetwork(spec.mixture)
        found = ClassifierDescription(spec=spec, width=params.width, accuracy=_accuracy(best, test, "cpu"))
        return Classifier(best, found, device)
    batch_size = min(params.batch_size, len(train))
    rounds = len(train) // batch_size
    steps = max(1, min(params.epochs * rounds, ceil(params.max_kimg * 1000 / batch_size)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(spec, params.width)
    network = network.to(device).train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    optimizer = torch.optim.Adam(network.parameters(), lr=params.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, params.learning_rate, total_steps=steps + 1)
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        if step % rounds == 0:
            order = torch.randperm(len(train), generator=generator)
        rows = order[step % rounds * batch_size :][:batch_size]
        _, logits = network(train.images[rows].to(device))
        loss = F.cross_entropy(logits, labels[rows].to(device))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        if report is not None:
            report((step + 1) * batch_size, "" if step % 10 else f"loss {loss.item():.3f}")
    network.eval()
    description = ClassifierDescription(spec=spec, width=params.width, accuracy=_accuracy(network, test, device))
    return Classifier(network, description, device)


def _check(train: PackedImages, spec: DataSpec) -> Tensor:
    if train.labels is None or len(spec.classes) < 2:
        raise EvaluationError(
            "the classifier extractor needs data with at least 2 classes",
            found=f"{len(spec.classes)} classes",
            action="choose evaluate.extractor: efficientnet-lite0 or inception-v3",
        )
    if len(train) < 2 * len(spec.classes):
        raise EvaluationError(
            "too few images to train the classifier extractor",
            expected=f"at least {2 * len(spec.classes)}",
            found=str(len(train)),
            action="use more images, or choose evaluate.extractor: efficientnet-lite0",
        )
    return train.labels


@torch.no_grad()
def _accuracy(network: nn.Module, data: PackedImages, device: torch.device | str) -> float:
    if data.labels is None or len(data) == 0:
        return 0.0
    right = 0
    for images, labels in zip(torch.split(data.images, 500), torch.split(data.labels, 500), strict=True):
        right += int((network(images.to(device))[1].argmax(dim=1).cpu() == labels).sum())
    return right / len(data)


def _network(spec: DataSpec, width: int) -> Network:
    if spec.mixture is not None:
        return MixtureNetwork(spec.mixture)
    if spec.channel_classes:
        single = DataSpec(shape=(1, *spec.shape[1:]), classes=spec.channel_classes)
        return StackedNetwork(ClassifierNetwork(single, width))
    return ClassifierNetwork(spec, width)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
