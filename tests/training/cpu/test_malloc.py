"""What training frees stays its own, so that the next round need not fetch it page by page."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ROUNDS, MEGABYTES = 20, 8
PROGRAM = f"""
import resource, sys
import numpy as np
from ganops.training.cpu.malloc import disable_malloc_trim

if sys.argv[1] == "kept":
    assert disable_malloc_trim()
def play():
    blocks = [np.ones({MEGABYTES} * 2**20, np.uint8) for _ in range(4)]
play()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    play()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have their own ways")
def test_rounds_fetch_no_pages_anew() -> None:
    def faults(how: str) -> int:
        return int(subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True).stdout)

    # A block of 8 MB is 2,048 pages; a stray fault of the interpreter itself is none of them.
    assert faults("kept") < ROUNDS * 10 < faults("default")
