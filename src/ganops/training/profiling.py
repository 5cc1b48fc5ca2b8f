"""Where the time of a training goes: a trace for a viewer and a table on screen."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch

from ganops.atomic import atomic_path, write_text

ROWS = 25


@contextmanager
def profiled(folder: Path) -> Generator[None]:
    """Profile the block; write trace.json (for chrome://tracing or Perfetto) and table.txt, and print the table."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    sort_by = "self_cpu_time_total"
    if torch.cuda.is_available():
        activities.append(torch.profiler.ProfilerActivity.CUDA)
        sort_by = "self_device_time_total"
    with torch.profiler.profile(activities=activities) as profile:
        yield
    with atomic_path(folder / "trace.json") as temporary:
        profile.export_chrome_trace(str(temporary))
    table = profile.key_averages().table(sort_by=sort_by, row_limit=ROWS, max_name_column_width=50)
    write_text(folder / "table.txt", table)
    print(f"{table}\ntrace: {folder / 'trace.json'}", flush=True)
