"""CycleGAN in the plain way: modules of torch, networks one after the other, a pool in Python (arXiv:1703.10593)."""

from __future__ import annotations

import itertools
import random
import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.tutorial_loop import Batches
from ganops.games.cyclegan import CycleGANSettings
from ganops.networks.patchgan import PatchganSettings
from ganops.networks.resnet_translator import ResnetTranslatorSettings
from ganops.recipe import Recipe

RATE, BETAS = 2e-4, (0.5, 0.999)


class Residual(nn.Module):
    """Two padded convolutions, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU(True)),
            *(nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Same shape."""
        changed: Tensor = self.layers(maps)
        return maps + changed


def translator(settings: ResnetTranslatorSettings, channels: int) -> nn.Module:
    """The generator of a recipe's settings, without any change for speed."""
    width, border = settings.width, settings.outer_kernel // 2
    layers: list[nn.Module] = [nn.ReflectionPad2d(border), nn.Conv2d(channels, width, settings.outer_kernel)]
    layers += [nn.InstanceNorm2d(width), nn.ReLU(True)]
    for _ in range(settings.halvings):
        layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU(True)]
        width *= 2
    layers += [Residual(width) for _ in range(settings.blocks)]
    for _ in range(settings.halvings):
        if settings.upsample == "resize":
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(width, width // 2, 3, padding=1)]
        else:
            layers.append(nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1))
        width //= 2
        layers += [nn.InstanceNorm2d(width), nn.ReLU(True)]
    layers += [nn.ReflectionPad2d(border), nn.Conv2d(width, channels, settings.outer_kernel), nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator(settings: PatchganSettings, channels: int) -> nn.Module:
    """The discriminator of a recipe's settings."""
    width = settings.width
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for number in range(1, settings.layers + 1):
        stride = 1 if number == settings.layers else 2
        norm = [nn.InstanceNorm2d(2 * width)] if settings.norm == "instance" else []
        layers += [nn.Conv2d(width, 2 * width, 4, stride, 1), *norm, nn.LeakyReLU(0.2, True)]
        width *= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))


class Pool:
    """Former images in a list; each new one may be exchanged for one of them."""

    def __init__(self, size: int) -> None:
        self.size, self.images = size, list[Tensor]()

    def query(self, images: Tensor) -> Tensor:
        """As many images."""
        returned = []
        for image in images.detach().unbind():
            if len(self.images) < self.size:
                self.images.append(image)
                returned.append(image)
            elif random.random() < 0.5:
                place = random.randrange(self.size)
                returned.append(self.images[place])
                self.images[place] = image
            else:
                returned.append(image)
        return torch.stack(returned)


class CycleGANLoop:
    """Both generators step, then both discriminators."""

    def __init__(self, recipe: Recipe, channels: int) -> None:
        networks = recipe.networks
        translators = ResnetTranslatorSettings.model_validate(_without_kind(networks["a_to_b"]))
        patches = PatchganSettings.model_validate(_without_kind(networks["discriminator_a"]))
        self.settings = CycleGANSettings.model_validate(_without_kind(recipe.game))
        self.g_ab, self.g_ba = translator(translators, channels), translator(translators, channels)
        self.d_a, self.d_b = discriminator(patches, channels), discriminator(patches, channels)
        self.pool_a, self.pool_b = Pool(self.settings.pool), Pool(self.settings.pool)
        generators, judges = (self.g_ab, self.g_ba), (self.d_a, self.d_b)
        self.generator = torch.optim.Adam(itertools.chain(*(each.parameters() for each in generators)), RATE, BETAS)
        self.discriminator = torch.optim.Adam(itertools.chain(*(each.parameters() for each in judges)), RATE, BETAS)
        self.batch_size = recipe.batch_size

    def run(self, a: Batches, b: Batches, steps: int) -> float:
        """Take so many steps: images/s of each domain."""
        begin = time.perf_counter()
        for _ in range(steps):
            self.step(next(a), next(b))
        return steps * self.batch_size / (time.perf_counter() - begin)

    def step(self, a: Tensor, b: Tensor) -> None:
        """One step of both optimisers."""
        for parameter in itertools.chain(self.d_a.parameters(), self.d_b.parameters()):
            parameter.requires_grad_(False)
        fake_b, fake_a = self.g_ab(a), self.g_ba(b)
        loss = _squared(self.d_a(fake_a), 1.0) + _squared(self.d_b(fake_b), 1.0)
        loss = loss + self.settings.cycle_weight * (F.l1_loss(self.g_ba(fake_b), a) + F.l1_loss(self.g_ab(fake_a), b))
        if self.settings.identity_weight:
            kept = F.l1_loss(self.g_ba(a), a) + F.l1_loss(self.g_ab(b), b)
            loss = loss + self.settings.identity_weight * kept
        self.generator.zero_grad()
        torch.autograd.backward(loss)
        self.generator.step()
        for parameter in itertools.chain(self.d_a.parameters(), self.d_b.parameters()):
            parameter.requires_grad_(True)
        self.discriminator.zero_grad()
        for judge, real, fake, pool in ((self.d_a, a, fake_a, self.pool_a), (self.d_b, b, fake_b, self.pool_b)):
            torch.autograd.backward(0.5 * (_squared(judge(real), 1.0) + _squared(judge(pool.query(fake)), 0.0)))
        self.discriminator.step()


def _squared(logits: Tensor, target: float) -> Tensor:
    return F.mse_loss(logits, torch.full_like(logits, target))


def _without_kind(section: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in section.items() if key != "kind"}
