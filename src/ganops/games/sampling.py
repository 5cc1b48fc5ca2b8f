"""Images out of a game: the same for the same seed, however they are batched."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ganops.games.game import Game, Request

CHUNK = 256  # latents are drawn in chunks of this size, each from its own seed, so that batching changes nothing


def to_uint8(images: Tensor) -> Tensor:
    """From [-1, 1] float to 0..255 uint8, rounded to the nearest level."""
    return (images.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def to_float(images: Tensor) -> Tensor:
    """From 0..255 uint8 to [-1, 1] float32, the inverse of `to_uint8`; packed vectors stay as they are."""
    return images if images.dtype == torch.float32 else images.float() / 127.5 - 1


def to_packed(samples: Tensor) -> Tensor:
    """As `PackedImages` has them: images (N, C, H, W) rounded to uint8, vectors (N, D, 1, 1) as float32."""
    return samples.float() if samples.shape[2:] == (1, 1) else to_uint8(samples)


def draw_latents(count: int, latent_dim: int, seed: int) -> Tensor:
    """(count, latent_dim) standard normal latents on the CPU; the first rows do not depend on `count`."""
    chunks = [_chunk(index, latent_dim, seed) for index in range(-(-count // CHUNK))]
    return torch.cat(chunks)[:count] if chunks else torch.empty(0, latent_dim)


@torch.no_grad()
def sample_images(
    game: Game, count: int, seed: int, batch_size: int = 256, labels: Tensor | None = None
) -> Iterator[Tensor]:
    """Yield (n, C, H, W) batches in the packed form on the CPU, `count` images in all, from the networks as they are.

    labels: (count,) int64, or None: classes in turn (0, 1, 2, ...) where the game was built for classes.
    The game is put into eval mode and back.
    """
    device = next(game.parameters()).device
    if labels is None and game.class_count:
        labels = torch.arange(count) % game.class_count
    was_training = game.training
    game.eval()
    try:
        for start in range(0, count, batch_size):
            end = min(start + batch_size, count)
            latents = _rows(start, end, game.latent_dim, seed).to(device)
            wanted = None if labels is None else labels[start:end].to(device)
            yield to_packed(game.generate(Request(latents, wanted))).cpu()
    finally:
        game.train(was_training)


def _rows(start: int, end: int, latent_dim: int, seed: int) -> Tensor:
    first, last = start // CHUNK, -(-end // CHUNK)
    rows = torch.cat([_chunk(index, latent_dim, seed) for index in range(first, last)])
    return rows[start - first * CHUNK : end - first * CHUNK]


def _chunk(index: int, latent_dim: int, seed: int) -> Tensor:
    # Odd multiplier: distinct (seed, index) pairs below 2^31 give distinct 64-bit seeds.
    generator = torch.Generator().manual_seed((seed << 31) + index)
    return torch.randn(CHUNK, latent_dim, generator=generator)
