"""pix2pix in the plain way: modules of torch, the authors' order of steps (arXiv:1611.07004)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.cyclegan_loop import RATE, discriminator
from benchmarks.tutorial_loop import BETAS, Batches
from ganops.games.pix2pix import Pix2PixSettings
from ganops.networks.data_shapes import resolutions
from ganops.networks.patchgan import PatchganSettings
from ganops.networks.unet import UnetSettings
from ganops.recipe import Recipe


class Level(nn.Module):
    """Half the resolution, what lies inside, twice the resolution; what came in is joined to the result."""

    def __init__(self, outer: int, inner: int, inside: nn.Module | None, *, norm: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1)]
        if inside is not None:
            layers += [*([nn.InstanceNorm2d(inner)] if norm else []), inside]
        before = inner if inside is None else 2 * inner
        layers += [nn.ReLU(), nn.ConvTranspose2d(before, outer, 4, 2, 1), *([nn.InstanceNorm2d(outer)] if norm else [])]
        self.layers = nn.Sequential(*layers)

    def forward(self, maps: Tensor) -> Tensor:
        """Twice as many channels."""
        return torch.cat((maps, self.layers(maps)), dim=1)


def unet(settings: UnetSettings, channels: int, size: int) -> nn.Module:
    """The generator of a recipe's settings as nested levels, as the authors build it."""
    halvings = len(resolutions(size)) - 1
    widths = [min(settings.width * 2**level, settings.max_width) for level in range(halvings)]
    inside: nn.Module | None = None
    for outer, inner in reversed(list(pairwise(widths))):
        inside = Level(outer, inner, inside, norm=True)
    before = 2 * widths[0] if inside is not None else widths[0]
    middle = [inside] if inside is not None else []
    outermost = [nn.ReLU(), nn.ConvTranspose2d(before, channels, 4, 2, 1), nn.Tanh()]
    return nn.Sequential(nn.Conv2d(channels, widths[0], 4, 2, 1), *middle, *outermost)


class Pix2PixLoop:
    """The discriminator steps, then the generator."""

    def __init__(self, recipe: Recipe, channels: int, size: int) -> None:
        sections = {name: _without_kind(section) for name, section in recipe.networks.items()}
        self.settings = Pix2PixSettings.model_validate(_without_kind(recipe.game))
        self.g = unet(UnetSettings.model_validate(sections["generator"]), channels, size)
        self.d = discriminator(PatchganSettings.model_validate(sections["discriminator"]), 2 * channels)
        self.generator = torch.optim.Adam(self.g.parameters(), RATE, BETAS)
        self.discriminator = torch.optim.Adam(self.d.parameters(), RATE, BETAS)
        self.batch_size = recipe.batch_size

    def run(self, sources: Batches, targets: Batches, steps: int) -> float:
        """Take so many steps: images/s."""
        begin = time.perf_counter()
        for _ in range(steps):
            self.step(next(sources), next(targets))
        return steps * self.batch_size / (time.perf_counter() - begin)

    def step(self, source: Tensor, target: Tensor) -> None:
        """One step of both optimisers."""
        fake = self.g(source)
        self.d.requires_grad_(True)
        self.discriminator.zero_grad()
        on_fake, on_real = self.d(torch.cat((source, fake.detach()), 1)), self.d(torch.cat((source, target), 1))
        torch.autograd.backward(0.5 * (_entropy(on_fake, 0.0) + _entropy(on_real, 1.0)))
        self.discriminator.step()
        self.d.requires_grad_(False)
        self.generator.zero_grad()
        adversarial = _entropy(self.d(torch.cat((source, fake), 1)), 1.0)
        torch.autograd.backward(adversarial + self.settings.l1_weight * F.l1_loss(fake, target))
        self.generator.step()


def _entropy(logits: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def _without_kind(section: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in section.items() if key != "kind"}
