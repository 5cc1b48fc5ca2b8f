"""SIGTERM as an exception, so that temporary files and child processes go and leases are given back.

Python ignores exceptions in finalisers and callbacks. Where a signal arrives in one of these, it is sent again.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

TERMINATED = 128 + signal.SIGTERM
AGAIN_SECONDS = 0.05


def end_on_sigterm() -> None:
    """From now on SIGTERM raises SystemExit with code 143, and neither it nor Ctrl-C gets lost."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.unraisablehook = _send_again


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(TERMINATED)


def _send_again(ignored: UnraisableHookArgs) -> None:
    """Send the signal whose exception is ignored once more, when the finaliser is left."""
    error = ignored.exc_value
    if isinstance(error, KeyboardInterrupt):
        number = signal.SIGINT
    elif isinstance(error, SystemExit) and error.code == TERMINATED:
        number = signal.SIGTERM
    else:
        sys.__unraisablehook__(ignored)
        return
    timer = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), number))
    timer.daemon = True
    timer.start()
