"""What this machine offers to trainings that run at the same time."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from itertools import takewhile

VISIBLE = "CUDA_VISIBLE_DEVICES"


def places(gpus: Sequence[str], share: int) -> int:
    """How many stages keep this machine busy, where each training takes `share` GPUs, or cores where there are none."""
    return max(1, (len(gpus) or os.cpu_count() or 1) // share)


def gpu_ids() -> list[str]:
    """The GPUs that may be used: those of CUDA_VISIBLE_DEVICES where it is set, else all that the driver knows."""
    if VISIBLE in os.environ:
        named = (each.strip() for each in os.environ[VISIBLE].split(","))
        return list(takewhile(lambda each: each not in ("", "-1", "NoDevFiles"), named))  # as CUDA reads it
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=uuid", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - fixed words
    return done.stdout.split() if done.returncode == 0 else []
