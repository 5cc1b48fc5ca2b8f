"""Interfaces of networks, and the registry that builds them from recipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar, cast

from torch import Tensor, nn

from ganops.errors import SettingsError
from ganops.registry_of_kinds import KindRegistry

NETWORKS: KindRegistry[nn.Module] = KindRegistry("network", "ganops.networks", "NETWORKS")


class Generator(nn.Module):
    """(N, latent_dim) latents and (N,) labels or None to (N, ...) modelled rows of the data's first field.

    class_count: number of classes it generates on demand; 0 where it takes no labels.
    truncation: how much of the latents' variety samples have, less being closer to the average; it may be set at any
        time and changes nothing in training. None: all of it. truncation_range: least and most; None: not adjustable.
    """

    latent_dim: int
    class_count: int = 0
    truncation: float | None = None
    truncation_range: ClassVar[tuple[float, float] | None] = None


class TwoSizesGenerator(Generator):
    """A generator that can also make its images at a second, smaller size; None where it does not."""

    second: int | None = None

    def both(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) images and the smaller ones."""
        raise NotImplementedError


class StyleGenerator(Generator):
    """A generator in two steps, latents to styles to images, so that paths in style space can be measured."""

    def styles(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, L, D) styles, one for each of L layers."""
        raise NotImplementedError

    def synthesize(self, styles: Tensor) -> Tensor:
        """(N, C, H, W) images from (N, L, D) styles."""
        raise NotImplementedError


class Discriminator(nn.Module):
    """(N, ...) modelled rows and (N,) labels or None to (N,) logits, or some for each row; larger for real ones.

    It works in two steps, so that other heads can share its features.
    class_count: number of classes whose labels it takes; 0 where it takes no labels.
    feature_count: length of one row's features. head: makes logits of features and labels.
    pack: rows that share one logit; there are N / pack logits (PacGAN, Lin et al. 2017, arXiv:1712.04086).
    """

    class_count: int = 0
    feature_count: int
    head: nn.Module
    pack: int = 1

    def features(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N / pack, feature_count) features of (N, ...) rows."""
        raise NotImplementedError

    def logits(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N / pack,) logits of features."""
        return cast(Tensor, self.head(features, labels))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """One logit for every `pack` rows."""
        return self.logits(self.features(images, labels), labels)


class ReconstructingDiscriminator(Discriminator):
    """A discriminator whose features must suffice to reconstruct the image."""

    def reconstruct(self, features: Tensor, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Pairs of (N, C, h, w): what (N, feature_count) features reconstruct, and what it should be of the images."""
        raise NotImplementedError


class TwoSizesDiscriminator(ReconstructingDiscriminator):
    """One that comes with a second discriminator, `small`, for the same images at `small_size` pixels."""

    small: ReconstructingDiscriminator
    small_size: int


class JointDiscriminator(nn.Module):
    """(N, ...) modelled rows and (N, latent_dim) latents to (N,) logits."""

    latent_dim: int


class Encoder(nn.Module):
    """(N, ...) modelled rows to (N, latent_dim) latents."""

    latent_dim: int


class Translator(nn.Module):
    """(N, C, H, W) source images to (N, C', H, W) target images, both modelled.

    source, target: names of the fields that it is built for.
    """

    source: str
    target: str


class EncodingTranslator(Translator):
    """A translator whose first layers encode the source, so that contrastive losses can compare its maps.

    encoder_channels: of the maps that `encode` returns, in their order.
    """

    encoder_channels: tuple[int, ...]

    def encode(self, images: Tensor) -> list[Tensor]:
        """The maps after each layer of the encoder, (N, C', H', W') each, the first in full resolution."""
        raise NotImplementedError


class Classifier(nn.Module):
    """(N, C, H, W) modelled images to (N, class_count) logits, each image by itself.

    source: name of the image field that it is built for. class_count: of the data's labels.
    """

    source: str
    class_count: int


class PatchDiscriminator(nn.Module):
    """(N, C, H, W) source images or None, and (N, C', H, W) target images, to (N, 1, h, w) logits, one for each patch.

    source, target: names of the fields that it is built for; source None: it sees targets alone.
    patches: height and width in pixels of what one logit sees, its norms aside; of several sizes, the smallest patch
        first; empty: the whole image.
    """

    source: str | None
    target: str
    patches: tuple[int, ...] = ()


class FeatureDiscriminator(PatchDiscriminator):
    """A discriminator of patches that also returns its layers, for feature matching."""

    def features(self, source: Tensor | None, target: Tensor) -> list[Tensor]:
        """The maps after each activation, and the logits last."""
        raise NotImplementedError


class MultiscaleDiscriminator(PatchDiscriminator):
    """Discriminators of the same pictures at several sizes, each with its layers."""

    def pyramid(self, source: Tensor | None, target: Tensor) -> list[list[Tensor]]:
        """Of each size, the largest first, the maps after each activation, and the logits last."""
        raise NotImplementedError


class AttributeTranslator(nn.Module):
    """(N, C, H, W) images and the (N,) classes that they should become to (N, C, H, W) images."""

    class_count: int


class ClassifyingDiscriminator(nn.Module):
    """(N, C, H, W) images to (N, 1, h, w) logits, larger for real ones, and (N, class_count) logits of their class."""

    class_count: int

    def judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Both logits."""
        raise NotImplementedError


M = TypeVar("M", bound=nn.Module)


def pick(networks: Mapping[str, nn.Module], name: str, interface: type[M]) -> M:
    """The network called `name`; raises SettingsError where it is missing or does not have the interface."""
    network = networks.get(name)
    if network is None:
        raise SettingsError(
            f"networks.{name} is missing", code="missing-network", expected=f"a {interface.__name__}", found="none"
        )
    if not isinstance(network, interface):
        raise SettingsError(
            f"networks.{name} does not fit this game",
            code="wrong-network",
            expected=f"a {interface.__name__}",
            found=type(network).__name__,
        )
    return network


def check_fields(name: str, network: Translator | PatchDiscriminator, source: str | None, target: str) -> None:
    """Raise SettingsError where a network is built for other fields than its game gives it."""
    if (network.source, network.target) != (source, target):
        raise SettingsError(
            f"networks.{name} is built for other fields than the game plays with",
            code="other-fields",
            expected=f"source: {source}, target: {target}",
            found=f"source: {network.source}, target: {network.target}",
            action=f"set source and target of networks.{name} as the game has them",
        )
