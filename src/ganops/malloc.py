"""Keep the memory that a step of training, or a batch of scoring, frees for the next one.

glibc returns large freed blocks to the system, which hands them out again page by page, zeroed each time: thousands of
page faults per step on a CPU, where torch has no caching allocator of its own. Measured in
docs/measurements/training-speed.md; features of EfficientNet-Lite0 take 23 ms an image instead of 40.
"""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
# Bytes: the most that an int holds, and the most that older versions of glibc take for the second.
NEVER, OLD_MOST = 2**31 - 1, 32 * 2**20


def disable_malloc_trim() -> bool:
    """Make glibc keep what this process frees, for its own use; False where there is no glibc, and nothing changes.

    The process never shrinks below its largest size.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    kept = mallopt(MMAP_THRESHOLD, NEVER) or mallopt(MMAP_THRESHOLD, OLD_MOST)
    return bool(kept and mallopt(TRIM_THRESHOLD, NEVER))
