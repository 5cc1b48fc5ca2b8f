"""The small classifier of the data's own classes: the feature extractor that needs no download and fits digits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import ceil, log2
from pathlib import Path

import torch
from pydantic import Field as Bounded
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.rows import Rows, concatenate
from ganops.data.spec import LABEL, DataSpec
from ganops.data.tensor_file import save_tensors
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
    """classifier.json: enough to build the network again, and how good it is.

    spec: the data whose first column it classifies. accuracy: share of the test rows whose class it predicts.
    """

    spec: DataSpec
    width: int = Bounded(ge=4)
    accuracy: float = Bounded(ge=0, le=1)


class ClassifierNetwork(nn.Module):
    """Strided convolutions, a layer of 128 features, a layer of logits."""

    def __init__(self, image: ImageField, class_count: int, width: int) -> None:
        super().__init__()
        depth = max(1, ceil(log2(image.size / SMALLEST_MAP)))
        widths = [image.channels, *(width * min(2**level, WIDEST) for level in range(depth))]
        self.body = nn.Sequential(*(_block(*pair) for pair in pairwise(widths)))
        # Each block halves the size, rounding up.
        side = ceil(image.size / 2**depth)
        self.features = nn.Sequential(
            nn.Flatten(), nn.Linear(widths[-1] * side**2, FEATURES, bias=False), nn.BatchNorm1d(FEATURES), nn.ReLU()
        )
        self.logits = nn.Linear(FEATURES, class_count)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, 128) and logits (n, classes) of images (n, C, H, W) in 0..255."""
        scaled = (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        features = self.features(self.body(scaled))
        return features, self.logits(features)


Network = ClassifierNetwork | StackedNetwork | MixtureNetwork


class Classifier(FeatureExtractor):
    """The classifier as a feature extractor: samples as they are stored, logits of the data's own classes."""

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
        """See FeatureExtractor; raises EvaluationError for samples of another shape than it was trained on."""
        expected = self.description.spec.fields[self.description.spec.target].shape
        if tuple(images.shape[1:]) != expected:
            raise EvaluationError(
                "the classifier was trained on samples of another shape",
                code="wrong-shape",
                expected=str(expected),
                found=str(tuple(images.shape[1:])),
            )
        found: tuple[Tensor, Tensor] = self.network(images)
        return found

    def save(self, folder: Path) -> None:
        """Write classifier.safetensors and classifier.json."""
        save_tensors(folder / "classifier.safetensors", self.network.state_dict())
        self.description.write(folder / "classifier.json")


def load_classifier(folder: Path, device: torch.device | str = "cpu") -> Classifier:
    """Read what `save` wrote; raises EvaluationError when a file is missing or damaged."""
    try:
        description = ClassifierDescription.model_validate_json((folder / "classifier.json").read_text("utf-8"))
        network = _network(description.spec, description.width)
        network.load_state_dict(load_file(folder / "classifier.safetensors"))
    except (OSError, ValueError, SafetensorError, RuntimeError) as error:
        raise EvaluationError(
            f"{folder} does not hold a usable classifier",
            code="damaged-classifier",
            found=str(error),
            action="make it again: dvc repro --force --single-item reference",
        ) from error
    return Classifier(network, description, device)


def train_classifier(
    train: Rows,
    test: Rows,
    spec: DataSpec,
    params: ClassifierParams,
    seed: int,
    device: torch.device | str = "cpu",
    report: Callable[[int, str], None] | None = None,
    also: Rows | None = None,
) -> Classifier:
    """Train the classifier on labelled rows; the same seed gives the same weights on the same machine.

    also: rows to train on besides `train`. Neither is copied: packed rows stay on the disk.

    Data from a known mixture need no training: the mixture's formula is the best classifier.

    The learning rate rises and falls once (Smith and Topin 2017, arXiv:1708.07120). The number of epochs is
    `params.epochs`, or fewer where these would show more than `params.max_kimg` thousand images.
    report: called with the number of images shown so far and a note.
    Raises EvaluationError where the data have no classes, only one, or too few images.
    """
    _check(train, spec)
    train, target = train.only((spec.target, LABEL)), spec.fields[spec.target]
    count = len(train) + (0 if also is None else len(also))
    if isinstance(target, VectorField) and target.mixture is not None:
        best = MixtureNetwork(target.mixture)
        found = ClassifierDescription(spec=spec, width=params.width, accuracy=_accuracy(best, test, spec, "cpu"))
        return Classifier(best, found, device)
    batch_size = min(params.batch_size, count)
    per_epoch = count // batch_size
    steps = max(1, min(params.epochs * per_epoch, ceil(params.max_kimg * 1000 / batch_size)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(spec, params.width)
    network = network.to(device).train()
    network.to(memory_format=torch.channels_last)  # pyrefly: ignore[no-matching-overload]  # torch's stub lacks it
    optimizer = torch.optim.Adam(network.parameters(), lr=params.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, params.learning_rate, total_steps=steps + 1)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(count, generator=generator)
    for step in range(steps):
        if step and step % per_epoch == 0:
            order = torch.randperm(count, generator=generator)
        batch = _gather(train, also, order[step % per_epoch * batch_size :][:batch_size])
        _, logits = network(batch[spec.target].to(device))
        loss = F.cross_entropy(logits, batch[LABEL].to(device))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        if report is not None:
            report((step + 1) * batch_size, "" if step % 10 else f"loss {loss.item():.3f}")
    network.eval()
    description = ClassifierDescription(spec=spec, width=params.width, accuracy=_accuracy(network, test, spec, device))
    return Classifier(network, description, device)


def _gather(train: Rows, also: Rows | None, rows: Tensor) -> Rows:
    if also is None:
        return train.select(rows)
    own = rows < len(train)
    return concatenate([train.select(rows[own]), also.select(rows[~own] - len(train))])


def _check(train: Rows, spec: DataSpec) -> None:
    if LABEL not in train or len(spec.classes) < 2:
        raise EvaluationError(
            "the features of a classifier need data with at least 2 classes",
            code="too-few-classes",
            expected="2 classes or more",
            found=str(len(spec.classes)),
            action="set evaluate.features: auto, efficientnet-lite0 or inception-v3",
        )
    if len(train) < 2 * len(spec.classes):
        raise EvaluationError(
            "there are too few images to train a classifier",
            code="too-few-images",
            expected=f"at least {2 * len(spec.classes)}",
            found=str(len(train)),
            action="use more images, or set evaluate.features: auto",
        )


@torch.no_grad()
def _accuracy(network: nn.Module, data: Rows, spec: DataSpec, device: torch.device | str) -> float:
    if LABEL not in data or len(data) == 0:
        return 0.0
    right = 0
    for rows in data.split(500):
        right += int((network(rows[spec.target].to(device))[1].argmax(dim=1).cpu() == rows[LABEL]).sum())
    return right / len(data)


def _network(spec: DataSpec, width: int) -> Network:
    target: Field = spec.fields[spec.target]
    if isinstance(target, VectorField) and target.mixture is not None:
        return MixtureNetwork(target.mixture)
    if not isinstance(target, ImageField):
        raise EvaluationError(
            "a classifier cannot be trained on these data",
            code="no-classifier",
            expected="images, or vectors of a known mixture",
            found=target.description,
        )
    label = spec.field(LABEL, CategoryField)
    if label.channel_classes:
        single = target.model_copy(update={"channels": 1})
        return StackedNetwork(ClassifierNetwork(single, len(label.channel_classes), width))
    return ClassifierNetwork(target, len(spec.classes), width)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
