"""How every stage starts and ends as a process: arguments in, readable errors and honest exit codes out."""

from __future__ import annotations

import inspect
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from ganops.errors import GanopsError
from ganops.termination import end_on_sigterm
from ganops.tracking.location import redact

FAILED, USAGE, INTERRUPTED = 1, 2, 128 + signal.SIGINT


def run_stage(main: Callable[..., None]) -> NoReturn:
    """Call `main` with the command line's arguments and end the process.

    Exit codes: 0 when the stage is done, 1 for an error, or what a GanopsError says itself (75 where trying again may
    help). A GanopsError and an OSError (a full disk, a folder that cannot be written) are printed without a traceback,
    anything else with one. 2 for the wrong number of arguments, 130 after Ctrl-C and 143 after SIGTERM.
    """
    end_on_sigterm()
    arguments = sys.argv[1:]
    try:
        inspect.signature(main).bind(*arguments)
    except TypeError:
        _end(USAGE, _usage(main, arguments))
    try:
        main(*arguments)
    except GanopsError as error:
        _end(error.exit_code, f"error: {error}")
    except OSError as error:
        _end(FAILED, f"error: {error}\n  to do: correct the path, or see `ganops doctor`")
    except KeyboardInterrupt:
        _end(INTERRUPTED, "interrupted")
    sys.exit(0)


def _usage(main: Callable[..., None], arguments: list[str]) -> str:
    module = getattr(sys.modules["__main__"].__spec__, "name", None) or sys.argv[0]
    expected = " ".join(name.upper() for name in inspect.signature(main).parameters)
    return f"usage: python -m {module} {expected}".rstrip() + f"\n  found: {' '.join(arguments) or 'no arguments'}"


def _end(code: int, message: str) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # this process is ending; cut short, it would do so with a traceback
    print(redact(message), file=sys.stderr, flush=True)
    sys.exit(code)
