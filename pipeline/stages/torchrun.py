"""torchrun as part of a stage: the same stage again in several processes on this machine, its failures in our words."""

from __future__ import annotations

import logging
import os
import sys

from ganops.errors import TrainingError

# How long processes that were told to end have for it: a large model's checkpoint on a slow disk takes a while.
PATIENCE_SECONDS = 600


def run_as_processes(count: int, module: str, *arguments: str) -> None:
    """Run `python -m module arguments` in `count` processes that find each other; returns when all have ended well.

    Where one failed, this process exits with its code; TrainingError where one was killed. Signals are handed on.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torchrun's own choice, which it would announce
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # DDP warns of looking for unused parameters, as it has to
    logging.disable()  # the processes speak for themselves, and this one raises what is left to say
    options = ["--standalone", "--nproc-per-node", str(count), "--shutdown-timeout", str(PATIENCE_SECONDS)]
    try:
        torchrun([*options, "--module", module, *arguments])
    except SignalException as received:
        sys.exit(128 + received.sigval)
    except ChildFailedError as error:
        for rank, failure in error.failures.items():
            if failure.exitcode < 0:
                raise TrainingError(
                    f"process {rank} of {count} was ended by {failure.signal_name()}",
                    found="a system that is short of memory does so" if failure.signal_name() == "SIGKILL" else "",
                    action="start the same command again: it goes on from the last checkpoint",
                ) from None
        sys.exit(error.get_first_failure()[1].exitcode)
