"""Memory that a round frees is kept for the next round.

The C library gives large freed blocks back to the system, which hands them out again page by page, each zeroed anew:
thousands of page faults in every round on a CPU, where torch leaves memory to the C library. On a GPU torch keeps it.

Measured in docs/benchmarks.md.
"""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
# Bytes: the most that an int holds, and the most that older versions of glibc take for the second.
NEVER, OLD_MOST = 2**31 - 1, 32 * 2**20


def disable_malloc_trim() -> bool:
    """Have glibc keep what this process frees, until it ends; False where there is no glibc, and nothing changes.

    The process stays as large as it ever was; what it frees is its own to use again.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    kept = mallopt(MMAP_THRESHOLD, NEVER) or mallopt(MMAP_THRESHOLD, OLD_MOST)
    return bool(kept and mallopt(TRIM_THRESHOLD, NEVER))
