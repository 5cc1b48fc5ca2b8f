"""A small segmenter of the data's own classes: the reader of photos that were made from label maps."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.settings import Settings

DEPTH = 3  # halvings


class SegmenterSettings(Settings):
    """kimg: thousands of images that it is shown. width: channels of its first layer; learning_rate: of Adam."""

    kimg: float = Field(default=20.0, gt=0, le=1_000_000)
    width: int = Field(default=16, ge=4, le=1024)
    learning_rate: float = Field(default=2e-3, gt=0)
    batch_size: int = Field(default=16, ge=2, le=10_000)


class Segmenter(nn.Module):
    """Halvings and doublings with skip connections (Ronneberger et al. 2015, arXiv:1505.04597), of any size."""

    def __init__(self, channels: int, classes: int, width: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(DEPTH + 1)]
        self.first = _block(channels, width, 1)
        self.down = nn.ModuleList(_block(widths[level], widths[level + 1], 2) for level in range(DEPTH))
        self.up = nn.ModuleList(
            _block(widths[level + 1] + widths[level], widths[level], 1) for level in reversed(range(DEPTH))
        )
        self.logits = nn.Conv2d(width, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(n, classes, H, W) logits of stored images (n, C, H, W)."""
        maps = [self.first(images.float() / 127.5 - 1)]
        for layer in self.down:
            maps.append(layer(maps[-1]))
        found = maps.pop()
        for layer in self.up:
            skip = maps.pop()
            found = layer(torch.cat((F.interpolate(found, skip.shape[2:], mode="nearest"), skip), dim=1))
        logits: Tensor = self.logits(found)
        return logits

    @torch.no_grad()
    def labels(self, images: Tensor) -> Tensor:
        """(n, 1, H, W) uint8 classes of stored images, on the CPU."""
        device, parts = self.logits.weight.device, torch.split(images, 64)
        return torch.cat([self(part.to(device)).argmax(dim=1, keepdim=True).to(torch.uint8).cpu() for part in parts])


def train_segmenter(
    train: Rows,
    image: str,
    labels: str,
    classes: int,
    settings: SegmenterSettings,
    seed: int,
    device: torch.device,
    report: Callable[[int], None],
) -> Segmenter:
    """Train it on the columns `image` and `labels` of stored rows, which are not copied, and put it into eval mode.

    The same seed gives the same weights on the same machine. The learning rate rises and falls once. report: called
    with the number of images shown so far.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Segmenter(train[image].shape[1], classes, settings.width)
    network.to(device).train()
    batch_size = min(settings.batch_size, len(train))
    steps = max(1, round(settings.kimg * 1000 / batch_size))
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, total_steps=steps + 1)
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        rows = train.only((image, labels)).select(torch.randint(len(train), (batch_size,), generator=generator))
        loss = F.cross_entropy(network(rows[image].to(device)), rows[labels][:, 0].long().to(device))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        report((step + 1) * batch_size)
    return network.eval()


def _block(before: int, after: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())
