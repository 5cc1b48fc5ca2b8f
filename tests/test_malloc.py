"""Memory that a training or an evaluation frees is kept by its process, so that the next step causes no page faults."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

STEPS, MEGABYTES = 20, 8
PROGRAM = f"""
import resource, sys
import numpy as np
from ganops.malloc import disable_malloc_trim

if sys.argv[1] == "kept":
    assert disable_malloc_trim()
def step():
    blocks = [np.ones({MEGABYTES} * 2**20, np.uint8) for _ in range(4)]
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({STEPS}):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_steps_cause_no_page_faults() -> None:
    def faults(how: str) -> int:
        return int(subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True).stdout)

    # A block of 8 MB is 2,048 pages; a few faults of the interpreter itself do not matter.
    assert faults("kept") < STEPS * 10 < faults("default")
