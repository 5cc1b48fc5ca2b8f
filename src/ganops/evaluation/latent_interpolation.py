"""Interpolation in latent space: outputs on the way from one latent to another."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.games.game import Game
from ganops.games.sampling import HeldOut, draw_inputs, draw_latents, rows_at_once

STRAIGHT = 1e-3  # sine of the angle below which float32 says little about the way around


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation (White 2016, arXiv:1609.04468) of a (n, d) towards b (n, d), t (n, 1) from 0 to 1.

    Lengths are interpolated too, so that both ends are met exactly. Between equal and between opposite directions,
    which are all that latents of one number have, the way is a straight line.
    """
    lengths_a, lengths_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    cosine = ((a / lengths_a) * (b / lengths_b)).sum(dim=1, keepdim=True).clamp(-1, 1)
    angle = cosine.acos()
    direction = ((1 - t) * angle).sin() * a / lengths_a + (t * angle).sin() * b / lengths_b
    length = (1 - t) * lengths_a + t * lengths_b
    return torch.where(angle.sin() < STRAIGHT, a.lerp(b, t), direction / angle.sin() * length)


@torch.no_grad()
def latent_interpolations(
    game: Game, rows: int, columns: int, seed: int, held_out: HeldOut | None = None, output: str | None = None
) -> Tensor | None:
    """(rows * columns, ...) stored outputs, on the CPU: each row goes from one latent to another in even steps.

    All inputs are the same within a row. output: which one; None: the first. None for a task without latents. The game
    is in eval mode.
    """
    task, device = game.task, next(game.parameters()).device
    latents = draw_latents(task.latents, 2 * rows, seed)
    if latents is None:
        return None
    inputs = next(draw_inputs(task, rows, seed, held_out=held_out, batch_size=rows)).modelled
    t = torch.linspace(0, 1, columns).repeat(rows).unsqueeze(1)
    between = {
        name: slerp(ends[:rows].repeat_interleave(columns, 0), ends[rows:].repeat_interleave(columns, 0), t)
        for name, ends in latents.items()
    }
    given = inputs.map(lambda column: column.repeat_interleave(columns, 0)).merged(between)
    name, most = output or next(iter(task.outputs)), rows_at_once(task)
    parts = (given.select(slice(at, at + most)) for at in range(0, len(given), most))
    return torch.cat([task.outputs[name].to_storage(game.generate(part.to(device))[name]).cpu() for part in parts])
