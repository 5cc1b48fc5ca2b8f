"""torchrun as part of a stage: the same stage in several processes on this machine, with one error for a failure."""

from __future__ import annotations

import logging
import os
import sys

from ganops.errors import TrainingError

# How long stopped processes have for their last checkpoint: a large model's on a slow disk takes a while.
TIMEOUT_SECONDS = 600


def run_as_processes(count: int, module: str, *arguments: str) -> None:
    """Run `python -m module arguments` in `count` processes that find each other; returns when all have succeeded.

    Where one failed, this process exits with its code; TrainingError where one was killed. Signals are forwarded.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torchrun's own default, which it would announce
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # DDP warns about searching for unused parameters
    logging.disable()  # the processes report for themselves, and this one raises what is left to report
    options = ["--standalone", "--nproc-per-node", str(count), "--shutdown-timeout", str(TIMEOUT_SECONDS)]
    try:
        torchrun([*options, "--module", module, *arguments])
    except SignalException as received:
        sys.exit(128 + received.sigval)
    except ChildFailedError as error:
        for rank, failure in error.failures.items():
            if failure.exitcode < 0:
                raise TrainingError(
                    f"process {rank} of {count} was killed by {failure.signal_name()}",
                    code="process-killed",
                    found="the system does that when it runs out of memory"
                    if failure.signal_name() == "SIGKILL"
                    else "",
                    action="run the same command again: training resumes from the last checkpoint",
                    exit_code=128 - failure.exitcode,  # as of one process, which a flow starts again
                ) from None
        sys.exit(error.get_first_failure()[1].exitcode)
