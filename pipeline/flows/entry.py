"""How a flow starts from the command line and ends: the outcome, or an error without a traceback, and an exit code."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from ganops.atomic import write_text
from ganops.errors import GanopsError
from ganops.params import load_params
from pipeline.flows.outcome import Outcome, describe
from pipeline.stages.entry import INTERRUPTED
from pipeline.stages.results import OUTCOME, PARAMS


def run_flow(start: Callable[[], Outcome]) -> NoReturn:
    """Start a flow, print and keep its outcome, and end the process with the exit codes of a stage.

    params.yaml is read first: a mistake in it is told before a server is started.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        params = load_params(PARAMS)
        outcome = describe(start(), params)
    except GanopsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it was", file=sys.stderr)
        sys.exit(INTERRUPTED)
    logging.getLogger("prefect").setLevel(logging.WARNING)  # the outcome is the last that is said
    write_text(OUTCOME, outcome + "\n")
    print(f"\n{outcome}")
    sys.exit(0)


def _terminate(number: int, _frame: FrameType | None) -> None:
    """End by an exception, so that Prefect stops the temporary server that it has started."""
    sys.exit(128 + number)
