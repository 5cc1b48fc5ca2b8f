"""Random numbers that depend on where training is, not on how it got there."""

from __future__ import annotations

import hashlib

import torch


def seed_for(*place: int) -> int:
    """A 63-bit seed for a place such as (seed, round, turn, part); different places give unrelated seeds."""
    text = ",".join(str(number) for number in place).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def seed_all(*place: int) -> None:
    """Seed torch's generators on every device for a place.

    The trainer does this before each round, or each part of a turn's batch, so a run that was killed and resumed, or
    whose batch is spread over several processes, draws the same latents as the run nobody disturbed.
    """
    seed = seed_for(*place)
    torch.default_generator.manual_seed(seed)
    # torch.manual_seed would note a whole stack trace in every turn where CUDA could be used but is not.
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
