"""Which process group this process belongs to: the one that `torchrun` started, or itself alone."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

from ganops.training.distributed.process_group import ProcessGroup


def started_by_torchrun() -> bool:
    """Whether `torchrun` started this process, as the only one of its group or as one of several."""
    return "WORLD_SIZE" in os.environ


@contextmanager
def join(device: str = "auto") -> Generator[ProcessGroup]:
    """The group of the processes that `torchrun` started; this process alone where it was started without.

    device: as `train.device` in params.yaml. Raises TrainingError where there are fewer GPUs than processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ProcessGroup()
        return
    from ganops.training.distributed.fabric_group import joined_by_torchrun  # lightning_fabric takes seconds to import

    with joined_by_torchrun(device) as group:
        yield group
