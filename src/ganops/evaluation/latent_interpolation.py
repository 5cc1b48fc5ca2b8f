"""Walks through latent space: images on the way from one latent to another."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.games.game import Game, Request
from ganops.games.sampling import draw_latents, to_packed


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation (White 2016, arXiv:1609.04468) of a (n, d) towards b (n, d), t (n, 1) from 0 to 1.

    Lengths are interpolated too, so that both ends are met exactly.
    """
    lengths_a, lengths_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    cosine = ((a / lengths_a) * (b / lengths_b)).sum(dim=1, keepdim=True).clamp(-1, 1)
    angle = cosine.acos().clamp(min=1e-6)  # of equal directions, where the formula tends to a straight line
    direction = ((1 - t) * angle).sin() * a / lengths_a + (t * angle).sin() * b / lengths_b
    length = (1 - t) * lengths_a + t * lengths_b
    walked: Tensor = direction / angle.sin() * length
    return walked


@torch.no_grad()
def latent_interpolations(game: Game, rows: int, columns: int, seed: int) -> Tensor:
    """(rows * columns, C, H, W), packed: each row goes from one latent to another in even steps, of one class each."""
    device = next(game.parameters()).device
    ends = draw_latents(2 * rows, game.latent_dim, seed).to(device)
    t = torch.linspace(0, 1, columns, device=device).repeat(rows).unsqueeze(1)
    latents = slerp(ends[:rows].repeat_interleave(columns, 0), ends[rows:].repeat_interleave(columns, 0), t)
    labels = None
    if game.class_count:
        labels = (torch.arange(rows, device=device) % game.class_count).repeat_interleave(columns)
    return to_packed(game.generate(Request(latents, labels))).cpu()
