"""The usual tutorial loop: two Adams, float32, real batch, then fake batch, then the generator."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from ganops.recipe import Recipe

Batches = Iterator[Tensor]
RATE, BETAS = 2e-4, (0.5, 0.999)  # of the official DCGAN example, not of the recipe


class DecodedImages(Dataset[Tensor]):
    """Images decoded one by one, as torchvision's data sets give them: array, PIL image, tensor, normalised."""

    def __init__(self, images: Tensor) -> None:
        self.arrays = images.permute(0, 2, 3, 1).numpy()
        channels = self.arrays.shape[3]
        half = (0.5,) * channels
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(half, half)])

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> Tensor:
        array = self.arrays[index]
        picture = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
        tensor: Tensor = self.transform(picture)
        return tensor


def loader_batches(images: Tensor, batch_size: int, workers: int) -> Batches:
    """Endless batches from a shuffling DataLoader."""
    loader = DataLoader(DecodedImages(images), batch_size, shuffle=True, num_workers=workers, drop_last=True)
    while True:
        yield from loader


def memory_batches(images: Tensor, batch_size: int, device: torch.device) -> Batches:
    """Endless batches cut from float tensors that lie on the device."""
    floats = (images.float() / 127.5 - 1).to(device)
    while True:
        for rows in torch.randperm(len(floats), device=device).split(batch_size):
            if len(rows) == batch_size:
                yield floats[rows]


class TutorialLoop:
    """One generator against one discriminator of a recipe, trained in the plain way on given batches."""

    def __init__(self, recipe: Recipe, generator: nn.Module, discriminator: nn.Module, device: torch.device) -> None:
        self.generator, self.discriminator = generator.to(device), discriminator.to(device)
        self.device, self.batch_size = device, recipe.batch_size
        self.latent_dim = int(recipe.networks["generator"]["latent_dim"])
        self.critic_turns = recipe.turns.get("discriminator", 1)
        self.wasserstein = recipe.game["loss"] == "wasserstein"
        self.criterion = nn.BCEWithLogitsLoss()
        self.optimizer_d = torch.optim.Adam(discriminator.parameters(), RATE, betas=BETAS)
        self.optimizer_g = torch.optim.Adam(generator.parameters(), RATE, betas=BETAS)

    def run(self, batches: Batches, steps: int) -> float:
        """Take so many steps; the real images shown per second."""
        self.generator.train()
        begin, shown = time.perf_counter(), 0
        for _ in range(steps):
            for real in itertools.islice(batches, self.critic_turns):
                fake = self._discriminate(real.to(self.device))
                shown += len(real)
            # The official DCGAN example uses the same fakes again; WGAN-GP code makes new ones after the critic.
            self._generate(self.generator(self._noise()) if self.wasserstein else fake)
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return shown / (time.perf_counter() - begin)

    def _noise(self) -> Tensor:
        return torch.randn(self.batch_size, self.latent_dim, device=self.device)

    def _discriminate(self, real: Tensor) -> Tensor:
        self.optimizer_d.zero_grad()
        made: Tensor = self.generator(self._noise())
        fake = made.detach()
        on_real, on_fake = self.discriminator(real), self.discriminator(fake)
        if self.wasserstein:
            loss = on_fake.mean() - on_real.mean() + 10 * self._gradient_penalty(real, fake)
        else:
            loss = self.criterion(on_real, torch.ones_like(on_real))
            loss = loss + self.criterion(on_fake, torch.zeros_like(on_fake))
        loss.backward()
        self.optimizer_d.step()
        loss.item()  # every tutorial prints or stores its losses
        return made

    def _generate(self, fake: Tensor) -> None:
        self.optimizer_g.zero_grad()
        output = self.discriminator(fake)
        loss = -output.mean() if self.wasserstein else self.criterion(output, torch.ones_like(output))
        loss.backward()
        self.optimizer_g.step()
        loss.item()

    def _gradient_penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        share = torch.rand(len(real), 1, 1, 1, device=self.device)
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        output = self.discriminator(between)
        (gradients,) = torch.autograd.grad(output, between, torch.ones_like(output), create_graph=True)
        norms: Tensor = gradients.flatten(1).norm(2, dim=1)
        return ((norms - 1) ** 2).mean()
