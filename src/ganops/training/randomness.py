"""Random numbers that depend on where training is, not on how it got there."""

from __future__ import annotations

import hashlib

import torch


def seed_for(*place: int) -> int:
    """A 63-bit seed for a place such as (seed, step, turn, micro-batch); different places give unrelated seeds."""
    text = ",".join(str(number) for number in place).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def seed_all(*place: int) -> None:
    """Seed torch's generators on every device for a place.

    The trainer does this before each step, or each micro-batch of a turn, so that a run that was killed and resumed, or
    whose batch is spread over several processes, draws the same latents as an undisturbed run.
    """
    seed = seed_for(*place)
    torch.default_generator.manual_seed(seed)
    # torch.manual_seed would record a stack trace at each call where CUDA is available but not yet used.
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)
