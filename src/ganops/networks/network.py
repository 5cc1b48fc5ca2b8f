"""Interfaces of networks, the registry that builds them from recipes, and helpers that several architectures share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, PictureField
from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.registry_of_kinds import KindRegistry

NETWORKS: KindRegistry[nn.Module] = KindRegistry("network", "ganops.networks", "NETWORKS")
LARGEST_START = 8  # pixels of the smallest maps that networks may start from


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
    feature_count: length of one row's features.
    pack: rows that share one logit; there are N / pack logits (PacGAN, Lin et al. 2017, arXiv:1712.04086).
    """

    class_count: int = 0
    feature_count: int
    pack: int = 1

    def features(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N / pack, feature_count) features of (N, ...) rows."""
        raise NotImplementedError

    def logits(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N / pack,) logits of features."""
        raise NotImplementedError

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


def target_field(spec: DataSpec) -> Field:
    """The field that a plain generator makes: the first of the data."""
    return spec.schema()[spec.target]


def image_field(spec: DataSpec, name: str = IMAGE) -> ImageField:
    """The image field called `name`; raises SettingsError where it is missing or holds something else."""
    return spec.field(name, ImageField)


def picture_field(spec: DataSpec, name: str) -> PictureField:
    """As `image_field`, for a source, which may also consist of label maps: one-hot, a channel for each class."""
    found = spec.schema().get(name)
    return found if isinstance(found, LabelMapField) else image_field(spec, name)


def check_equal_sizes(network: str, source: PictureField, target: PictureField) -> None:
    """Raise SettingsError where a network that keeps the size of its images gets two sizes."""
    if source.size != target.size:
        raise SettingsError(
            f"{network} takes source and target of one size",
            code="image-size",
            expected="equal sizes",
            found=f"{source.size} and {target.size} pixels",
            action="set image_size in the recipe, derive the source in the size of the target, or take another network",
        )


def class_count_of(spec: DataSpec) -> int:
    """The number of classes; raises SettingsError where the data have none."""
    if not spec.classes:
        raise SettingsError(
            "this network takes labels, but the data have no classes",
            code="no-classes",
            action="use a recipe that needs no labels, or data with class labels",
        )
    return len(spec.classes)


def resolutions(image_size: int) -> list[int]:
    """Sizes from the smallest feature map up to the image, each twice the one before: 28 gives 7, 14, 28.

    Raises SettingsError where halving does not end at 3..8 pixels: networks that double their maps cannot produce it.
    """
    sizes = _halvings(image_size)
    if sizes[0] > LARGEST_START:
        lower = next(size for size in range(image_size - 1, 0, -1) if _halvings(size)[0] <= LARGEST_START)
        upper = next(size for size in range(image_size + 1, 2 * image_size) if _halvings(size)[0] <= LARGEST_START)
        raise SettingsError(
            f"networks that double their maps cannot produce images of {image_size} pixels",
            code="unsupported-size",
            expected="a size that halving brings to 3, 4, 5 or 7 pixels",
            found=f"{image_size}, which halves to {sizes[0]}",
            action=f"set data.image_size in params.yaml or image_size in the recipe to {lower} or {upper}",
        )
    return sizes


def _halvings(image_size: int) -> list[int]:
    """The size and its halves, the smallest first, as far as they are whole and more than 2."""
    sizes = [image_size]
    while sizes[0] > 4 and sizes[0] % 2 == 0:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def dcgan_initial_weights(module: nn.Module) -> None:
    """Weights N(0, 0.02), batch-norm gains N(1, 0.02), biases zero (Radford et al. 2015, arXiv:1511.06434)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
