"""The strided convolutional networks of DCGAN (Radford et al. 2015, arXiv:1511.06434), with and without labels.

Activations work in place, since no layer before them needs its output for the backward pass: less memory, and faster on
a CPU (docs/measurements/training-speed.md).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.conditioning import Condition, LabelPlanes, LabelVector
from ganops.networks.data_shapes import class_count_of, image_field, resolutions
from ganops.networks.heads import LogitHead, check_pack, pack_images
from ganops.networks.initial_weights import dcgan_initial_weights
from ganops.networks.maps import SpreadLatents, flatten_maps
from ganops.networks.minibatch import MinibatchDeviation
from ganops.networks.network import NETWORKS, Discriminator, Encoder, Generator, JointDiscriminator
from ganops.networks.widths import Widths


class DcganWidths(Widths):
    """Channels of the hidden maps, which are at most half as large as the image; doubled with every halving."""

    width: int = Field(default=64, ge=1)
    growth: Literal[1, 2] = 2


class DcganGeneratorSettings(DcganWidths):
    """As DcganWidths, with the length of the latent.

    labels: how classes are joined to the latent; embedding_dim: length of a learned vector.
    """

    latent_dim: int = Field(default=100, ge=1)
    labels: Condition = "none"
    embedding_dim: int = Field(default=50, ge=1)


@NETWORKS.add("dcgan-generator", DcganGeneratorSettings)
class DcganGenerator(Generator):
    """Transposed convolutions with batch norm and ReLU, tanh at the end: (N, latent_dim) to (N, C, H, W)."""

    def __init__(self, settings: DcganGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.latent_dim = settings.latent_dim
        self.class_count = class_count_of(spec) if settings.labels != "none" else 0
        self.label = LabelVector(settings.labels, self.class_count, settings.embedding_dim)
        sizes = resolutions(image.size)[:-1]
        widths = settings.of(sizes)
        layers: list[nn.Module] = [
            SpreadLatents(settings.latent_dim + self.label.size, widths[0], sizes[0]),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        ]
        for before, after in pairwise(widths):
            layers += [
                nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], image.channels, 4, 2, 1), nn.Tanh())
        self.apply(dcgan_initial_weights)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate one image per latent."""
        return cast(Tensor, self.layers(self.label(latents, labels)))


class DcganDiscriminatorSettings(DcganWidths):
    """norm: "batch", or "none" as a critic with a gradient penalty needs it.

    labels: how classes are used: as further channels (one-hot, embedding), or projected on the last features.
    pack: images per logit. minibatch: 'deviation' gives the last layer the deviation within the batch.
    dropout: share of channels dropped after each layer while training.
    """

    norm: Literal["batch", "none"] = "batch"
    slope: float = Field(default=0.2, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    labels: Literal["none", "one-hot", "embedding", "projection"] = "none"
    pack: int = Field(default=1, ge=1, le=1000)
    minibatch: Literal["none", "deviation"] = "none"

    @model_validator(mode="after")
    def _packs_without_labels(self) -> DcganDiscriminatorSettings:
        check_pack(self.pack, self.labels)
        return self


@NETWORKS.add("dcgan-discriminator", DcganDiscriminatorSettings)
class DcganDiscriminator(Discriminator):
    """Strided convolutions with LeakyReLU, batch norm on all but the first: (N, C, H, W) to (N,) logits."""

    def __init__(self, settings: DcganDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.pack = settings.pack
        self.class_count = class_count_of(spec) if settings.labels != "none" else 0
        planes: Condition = "none" if settings.labels == "projection" else settings.labels
        self.label = LabelPlanes(planes, self.class_count, image.size)
        channels = image.channels * settings.pack + self.label.size
        self.layers, channels = _strided(settings, channels, image.size)
        if settings.minibatch == "deviation":
            self.layers.append(MinibatchDeviation())
            channels += 1
        self.feature_count = channels * resolutions(image.size)[0] ** 2
        self.head = LogitHead(self.feature_count, self.class_count if settings.labels == "projection" else 0)
        self.apply(dcgan_initial_weights)

    def features(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """The smallest maps, flattened: (N / pack, feature_count)."""
        return flatten_maps(self.layers(self.label(pack_images(images, self.pack), labels)))


class DcganEncoderSettings(DcganWidths):
    """latent_dim: as the generator's."""

    latent_dim: int = Field(default=100, ge=1)
    norm: Literal["batch", "none"] = "batch"
    slope: float = Field(default=0.2, ge=0)


@NETWORKS.add("dcgan-encoder", DcganEncoderSettings)
class DcganEncoder(Encoder):
    """The discriminator's convolutions, ending in a latent: (N, C, H, W) to (N, latent_dim)."""

    def __init__(self, settings: DcganEncoderSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.latent_dim = settings.latent_dim
        self.layers, channels = _strided(settings, image.channels, image.size)
        self.layers.append(nn.Conv2d(channels, settings.latent_dim, resolutions(image.size)[0]))
        self.apply(dcgan_initial_weights)

    def forward(self, images: Tensor) -> Tensor:
        """The latent that would generate each image."""
        return cast(Tensor, self.layers(images)).flatten(1)


class DcganJointDiscriminatorSettings(DcganEncoderSettings):
    """hidden: units of the layers that combine image and latent."""

    hidden: int = Field(default=512, ge=1)
    norm: Literal["batch", "none"] = "none"


@NETWORKS.add("dcgan-joint-discriminator", DcganJointDiscriminatorSettings)
class DcganJointDiscriminator(JointDiscriminator):
    """Two hidden layers combine image features and a latent: (N, C, H, W) and (N, latent_dim) to (N,) logits."""

    def __init__(self, settings: DcganJointDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.layers, channels = _strided(settings, image.channels, image.size)
        self.latent_dim = settings.latent_dim
        both = channels * resolutions(image.size)[0] ** 2 + settings.latent_dim
        self.head = nn.Sequential(
            nn.Linear(both, settings.hidden),
            nn.LeakyReLU(settings.slope, inplace=True),
            nn.Linear(settings.hidden, settings.hidden),
            nn.LeakyReLU(settings.slope, inplace=True),
            nn.Linear(settings.hidden, 1),
        )
        self.layers.apply(dcgan_initial_weights)

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        """One logit for each pair."""
        features = flatten_maps(self.layers(images))
        return cast(Tensor, self.head(torch.cat((features, latents.to(features.dtype)), dim=1))).squeeze(1)


def _strided(
    settings: DcganDiscriminatorSettings | DcganEncoderSettings, channels: int, image_size: int
) -> tuple[nn.Sequential, int]:
    """Convolutions that halve the maps down to the smallest resolution, and the number of channels they end with."""
    batch_norm = settings.norm == "batch"
    dropout = settings.dropout if isinstance(settings, DcganDiscriminatorSettings) else 0.0
    layers = list[nn.Module]()
    for index, after in enumerate(reversed(settings.of(resolutions(image_size)[:-1]))):
        normed = batch_norm and index > 0
        layers.append(nn.Conv2d(channels, after, 4, 2, 1, bias=not normed))
        if normed:
            layers.append(nn.BatchNorm2d(after))
        layers.append(nn.LeakyReLU(settings.slope, inplace=True))
        if dropout:
            layers.append(nn.Dropout2d(dropout))
        channels = after
    return nn.Sequential(*layers), channels
