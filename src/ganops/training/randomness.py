"""Torch's generators, seeded by where training is, not by how it got there."""

from __future__ import annotations

import torch

from ganops.seeds import seed_for


def seed_all(*place: int) -> None:
    """Seed torch's generators on every device for a place.

    The trainer does this before each step, or each micro-batch of a turn, so that a run that was killed and resumed, or
    whose batch is spread over several processes, draws the same latents as an undisturbed run.
    """
    seed = seed_for(*place)
    torch.default_generator.manual_seed(seed)
    # torch.manual_seed would record a stack trace at each call where CUDA is available but not yet used.
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)
