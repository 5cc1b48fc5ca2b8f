"""What networks share: how recipes name them, how they start, and the ladder of resolutions they climb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.registry_of_kinds import KindRegistry

NETWORKS: KindRegistry[nn.Module] = KindRegistry("network", "ganops.networks", "NETWORKS")


class Generator(nn.Module):
    """A network that makes images: (N, latent_dim) latents and (N,) labels or None to (N, C, H, W) in [-1, 1].

    class_count: classes it makes on demand; 0 where it takes no labels.
    """

    latent_dim: int
    class_count: int = 0


class StyleGenerator(Generator):
    """A generator in two steps, latents to styles to images, so that paths in style space can be measured."""

    def styles(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, L, D) styles, one for each of L layers."""
        raise NotImplementedError

    def synthesize(self, styles: Tensor) -> Tensor:
        """(N, C, H, W) images from (N, L, D) styles."""
        raise NotImplementedError


class Discriminator(nn.Module):
    """A network that judges images: (N, C, H, W) in [-1, 1] and (N,) labels or None to (N,) logits, real is larger.

    It does so in two steps, so that other heads can share its features.
    class_count: classes whose labels it wants; 0 where it takes no labels.
    feature_count: length of one image's features.
    pack: images judged together; it gives N / pack logits (PacGAN, Lin et al. 2017, arXiv:1712.04086).
    """

    class_count: int = 0
    feature_count: int
    pack: int = 1

    def features(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N / pack, feature_count) features of (N, C, H, W) images."""
        raise NotImplementedError

    def judge(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N / pack,) logits of features."""
        raise NotImplementedError

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """One logit for every `pack` images."""
        return self.judge(self.features(images, labels), labels)


class ReconstructingDiscriminator(Discriminator):
    """A discriminator whose features have to tell what the image was like."""

    def reconstruct(self, features: Tensor) -> Tensor:
        """(N, feature_count) features to (N, C, H / 2, W / 2) images."""
        raise NotImplementedError


class JointDiscriminator(nn.Module):
    """A network that judges pairs: (N, C, H, W) images and (N, latent_dim) latents to (N,) logits."""


class Encoder(nn.Module):
    """A network that infers latents: (N, C, H, W) images to (N, latent_dim) latents."""

    latent_dim: int


M = TypeVar("M", bound=nn.Module)


def pick(networks: Mapping[str, nn.Module], name: str, sort: type[M]) -> M:
    """The network that plays the part `name`; raises SettingsError where it is missing or of another sort."""
    network = networks.get(name)
    if network is None:
        raise SettingsError(f"networks.{name} is missing", action=f"this game needs a {sort.__name__.lower()}")
    if not isinstance(network, sort):
        raise SettingsError(
            f"networks.{name} is of the wrong sort", expected=sort.__name__.lower(), found=type(network).__name__
        )
    return network


def class_count_of(spec: DataSpec) -> int:
    """The number of classes; raises SettingsError where the data have none."""
    if not spec.classes:
        raise SettingsError(
            "this network wants labels, but the data have no classes",
            action="take a recipe that needs no labels, or data that have some",
        )
    return len(spec.classes)


def resolutions(image_size: int) -> list[int]:
    """Sizes from the smallest feature map up to the image, each twice the one before: 28 gives 7, 14, 28.

    Raises SettingsError where halving does not reach 3..8 pixels, since such an image cannot be built by doubling.
    """
    sizes = [image_size]
    while sizes[0] > 4 and sizes[0] % 2 == 0:
        sizes.insert(0, sizes[0] // 2)
    if not 3 <= sizes[0] <= 8:
        raise SettingsError(
            f"images of {image_size} pixels cannot be built by doubling",
            expected="a size that halving brings to 3..8 pixels, such as 28, 32, 48, 64 or 128",
            found=f"{image_size}, which halves to {sizes[0]}",
            action="set data.image_size in params.yaml or image_size in the recipe",
        )
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
