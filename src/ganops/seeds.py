"""Seeds of random numbers that depend on where one is, not on how one got there."""

from __future__ import annotations

import hashlib


def seed_for(*place: int) -> int:
    """A 63-bit seed for a place such as (seed, step, turn, micro-batch); different places give unrelated seeds.

    Hashed, because torch's generator on the CPU takes only the low 32 bits of its seed: places packed into other bits
    would all draw the same numbers.
    """
    text = ",".join(str(number) for number in place).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
