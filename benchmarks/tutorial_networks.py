"""DCGAN's pair as the official PyTorch example writes it: plain layers in a row, for images of any of our sizes."""

from __future__ import annotations

from torch import Tensor, nn

from ganops.data.fields.image import ImageField
from ganops.data.spec import IMAGE, DataSpec
from ganops.games.build import build_game
from ganops.networks.data_shapes import resolutions
from ganops.networks.initial_weights import dcgan_initial_weights
from ganops.recipe import Recipe


class Generator(nn.Module):
    """A transposed convolution of one pixel, then doublings: (N, latent_dim) to (N, C, H, W)."""

    def __init__(self, recipe: Recipe, spec: DataSpec) -> None:
        super().__init__()
        settings, image = recipe.networks["generator"], spec.field(IMAGE, ImageField)
        first, *rest = resolutions(image.size)
        channels = settings["width"] * 2 ** (len(rest) - 1)
        layers: list[nn.Module] = [nn.ConvTranspose2d(settings["latent_dim"], channels, first, 1, 0, bias=False)]
        for _ in rest[:-1]:
            layers += [nn.BatchNorm2d(channels), nn.ReLU(True)]
            layers += [nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False)]
            channels //= 2
        layers += [nn.BatchNorm2d(channels), nn.ReLU(True)]
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(channels, image.channels, 4, 2, 1), nn.Tanh())
        self.apply(dcgan_initial_weights)

    def forward(self, latents: Tensor) -> Tensor:
        """Make one image per latent."""
        images: Tensor = self.main(latents[:, :, None, None])
        return images


class Discriminator(nn.Module):
    """Halvings, then a convolution down to one pixel: (N, C, H, W) to (N,) logits."""

    def __init__(self, recipe: Recipe, spec: DataSpec) -> None:
        super().__init__()
        settings, image = recipe.networks["discriminator"], spec.field(IMAGE, ImageField)
        first, *rest = resolutions(image.size)
        channels, layers = image.channels, list[nn.Module]()
        for index in range(len(rest)):
            after = settings["width"] * 2**index
            normed = settings["norm"] == "batch" and index > 0
            layers.append(nn.Conv2d(channels, after, 4, 2, 1, bias=not normed))
            layers += [nn.BatchNorm2d(after)] if normed else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            channels = after
        self.main = nn.Sequential(*layers, nn.Conv2d(channels, 1, first, 1, 0))
        self.apply(dcgan_initial_weights)

    def forward(self, images: Tensor) -> Tensor:
        """One logit for each image."""
        logits: Tensor = self.main(images)
        return logits.flatten()


def tutorial_networks(recipe: Recipe, spec: DataSpec) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator of the recipe's size; the recipe's own networks where these are not DCGANs."""
    if {settings["kind"] for settings in recipe.networks.values()} == {"dcgan-generator", "dcgan-discriminator"}:
        return Generator(recipe, spec), Discriminator(recipe, spec)
    networks = dict(build_game(recipe, spec).named_children())
    return networks["generator"], networks["discriminator"]
