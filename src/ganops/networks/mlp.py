"""The fully connected pair of the first GANs (Goodfellow et al. 2014, arXiv:1406.2661)."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Literal, cast

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.conditioning import Condition, LabelVector
from ganops.networks.data_shapes import class_count_of, target_field
from ganops.networks.fourier import FourierFeatures, FourierSettings
from ganops.networks.heads import LogitHead, check_pack, pack_images
from ganops.networks.latent_mixture import LatentMixture
from ganops.networks.minibatch import MinibatchDiscrimination
from ganops.networks.network import NETWORKS, Discriminator, Encoder, Generator, JointDiscriminator
from ganops.settings import Settings


class MlpGeneratorSettings(Settings):
    """Hidden layers from the latent outwards; norm_momentum is PyTorch's (the share of the newest batch).

    labels: how classes are joined to the latent; embedding_dim: length of a learned vector.
    components: of a mixture as latent space, for data with separate modes; 0 for a plain latent. component_sigma:
        initial standard deviation of each; initial means are uniform in [-1, 1].
    """

    latent_dim: int = Field(default=100, ge=1)
    widths: tuple[PositiveInt, ...] = Field(default=(128, 256, 512), min_length=1)
    norm: Literal[False, True, "all"] = True
    norm_momentum: float = Field(default=0.1, gt=0, le=1)
    slope: float = Field(default=0.2, ge=0)
    labels: Condition = "none"
    embedding_dim: int = Field(default=50, ge=1)
    components: int = Field(default=0, ge=0, le=1000)
    component_sigma: float = Field(default=0.05, gt=0)


@NETWORKS.add("mlp-generator", MlpGeneratorSettings)
class MlpGenerator(Generator):
    """LeakyReLU layers, batch norm after all but the first (or after all), tanh: rows of any shape from latents."""

    def __init__(self, settings: MlpGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.latent_dim, self.shape = settings.latent_dim + settings.components, target_field(spec).shape
        count, sigma = settings.components, settings.component_sigma
        self.mixture = LatentMixture(count, settings.latent_dim, sigma) if count else None
        self.class_count = class_count_of(spec) if settings.labels != "none" else 0
        self.label = LabelVector(settings.labels, self.class_count, settings.embedding_dim)
        layers: list[nn.Module] = []
        first = settings.latent_dim + self.label.size
        for index, (before, after) in enumerate(pairwise((first, *settings.widths))):
            layers.append(nn.Linear(before, after))
            if settings.norm and (index > 0 or settings.norm == "all"):
                layers.append(nn.BatchNorm1d(after, momentum=settings.norm_momentum))
            layers.append(nn.LeakyReLU(settings.slope))
        self.layers = nn.Sequential(*layers, nn.Linear(settings.widths[-1], prod(self.shape)), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate one row of the target field per latent."""
        if self.mixture is not None:
            latents = self.mixture(latents)
        return cast(Tensor, self.layers(self.label(latents, labels))).view(-1, *self.shape)


class MlpDiscriminatorSettings(Settings):
    """Hidden layers from the input inwards; dropout is the share of units dropped while training.

    labels: how classes are used: joined to the input (one-hot, embedding), or projected on the last features.
    pack: rows per logit. minibatch: 'discrimination' compares the rows of a batch.
    fourier: waves of the input that are joined to it, for vectors with fine detail.
    """

    widths: tuple[PositiveInt, ...] = Field(default=(512, 256), min_length=1)
    slope: float = Field(default=0.2, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    labels: Literal["none", "one-hot", "embedding", "projection"] = "none"
    embedding_dim: int = Field(default=50, ge=1)
    pack: int = Field(default=1, ge=1, le=1000)
    minibatch: Literal["none", "discrimination"] = "none"
    fourier: FourierSettings | None = None

    @model_validator(mode="after")
    def _packs_without_labels(self) -> MlpDiscriminatorSettings:
        check_pack(self.pack, self.labels)
        return self


@NETWORKS.add("mlp-discriminator", MlpDiscriminatorSettings)
class MlpDiscriminator(Discriminator):
    """LeakyReLU layers down to one logit: rows of any shape to (N,)."""

    def __init__(self, settings: MlpDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.pack = settings.pack
        self.class_count = class_count_of(spec) if settings.labels != "none" else 0
        joined: Condition = "none" if settings.labels == "projection" else settings.labels
        self.label = LabelVector(joined, self.class_count, settings.embedding_dim)
        inputs = prod(target_field(spec).shape) * settings.pack + self.label.size
        waves = list[FourierFeatures]() if settings.fourier is None else [FourierFeatures(settings.fourier, inputs)]
        inputs = waves[0].size if waves else inputs
        self.layers = nn.Sequential(*waves, *_hidden(inputs, settings.widths, settings.slope, settings.dropout))
        self.feature_count = settings.widths[-1]
        if settings.minibatch == "discrimination":
            compare = MinibatchDiscrimination(self.feature_count)
            self.layers.append(compare)
            self.feature_count += compare.kernels
        self.head = LogitHead(self.feature_count, self.class_count if settings.labels == "projection" else 0)

    def features(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """The last hidden layer, (N / pack, feature_count)."""
        return cast(Tensor, self.layers(self.label(pack_images(images, self.pack).flatten(1), labels)))


class MlpEncoderSettings(Settings):
    """Hidden layers from the input inwards; latent_dim: as the generator's."""

    latent_dim: int = Field(default=100, ge=1)
    widths: tuple[PositiveInt, ...] = Field(default=(512, 256), min_length=1)
    slope: float = Field(default=0.2, ge=0)


@NETWORKS.add("mlp-encoder", MlpEncoderSettings)
class MlpEncoder(Encoder):
    """LeakyReLU layers from a row of any shape to the latent that would generate it."""

    def __init__(self, settings: MlpEncoderSettings, spec: DataSpec) -> None:
        super().__init__()
        self.latent_dim = settings.latent_dim
        hidden = _hidden(prod(target_field(spec).shape), settings.widths, settings.slope, 0.0)
        self.layers = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(settings.widths[-1], settings.latent_dim))

    def forward(self, images: Tensor) -> Tensor:
        """(N, ...) to (N, latent_dim)."""
        return cast(Tensor, self.layers(images))


class MlpJointDiscriminatorSettings(Settings):
    """Hidden layers from input and latent inwards; latent_dim: as the generator's."""

    latent_dim: int = Field(default=100, ge=1)
    widths: tuple[PositiveInt, ...] = Field(default=(512, 256), min_length=1)
    slope: float = Field(default=0.2, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)


@NETWORKS.add("mlp-joint-discriminator", MlpJointDiscriminatorSettings)
class MlpJointDiscriminator(JointDiscriminator):
    """LeakyReLU layers over a row joined with its latent, down to one logit."""

    def __init__(self, settings: MlpJointDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.latent_dim = settings.latent_dim
        inputs = prod(target_field(spec).shape) + settings.latent_dim
        self.layers = nn.Sequential(*_hidden(inputs, settings.widths, settings.slope, settings.dropout))
        self.head = nn.Linear(settings.widths[-1], 1)

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        """(N, ...) rows and (N, latent_dim) latents to (N,) logits."""
        both = torch.cat((images.flatten(1), latents.to(images.dtype)), dim=1)
        return cast(Tensor, self.head(self.layers(both))).squeeze(1)


def _hidden(inputs: int, widths: tuple[int, ...], slope: float, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in pairwise((inputs, *widths)):
        layers += [nn.Linear(before, after), nn.LeakyReLU(slope)]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return layers
