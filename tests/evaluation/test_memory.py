"""Nearest neighbours of many images take the memory of a block of distances, not of all of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import resource, torch
from ganops.evaluation.all_pairs import compare
torch.set_num_threads(1)
generated, real = torch.randn(2, 12_000, 8)
compare(generated[:500], real[:500], 0, None, 5)  # what the libraries themselves take
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
compare(generated, real, 0, None, 5)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux only")
def test_twelve_thousand_against_twelve_thousand() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    # All distances of one pair of sides would take 576 MB; a block takes 4 MB, with what is made of it some more.
    assert int(done.stdout) / 1024 < 100
