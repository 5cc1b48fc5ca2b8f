"""How a flow starts from the command line and ends: with its outcome, or one short error that names the full log."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ganops.atomic import write_text
from ganops.errors import GanopsError
from ganops.params import read_params
from ganops.services import why_silent
from ganops.termination import TERMINATED, end_on_sigterm
from ganops.tracking.location import redact
from ganops.workspace import WORKSPACE
from pipeline.flows.outcome import Outcome, describe
from pipeline.flows.reproduce import DVC_ERROR, StageError
from pipeline.stages.entry import FAILED, INTERRUPTED

KEPT_LOGS = 20


def run_flow(start: Callable[[], Outcome]) -> NoReturn:
    """Start a flow, print and keep its outcome, and end the process with the exit codes of a stage.

    params.yaml is read and the tracking store is asked first: what is wrong there is reported before a server starts.
    """
    end_on_sigterm()  # by an exception, so that Prefect stops the temporary server that it has started
    log = WORKSPACE.logs / f"{time.strftime('%Y%m%d-%H%M%S')}.log"
    try:
        params = read_params(WORKSPACE.params)
        _keep_full_log(log)
        from ganops.registry.sweep import sweep  # torch comes with it, and what is wrong above is said without

        for line in sweep(params):
            print(line, flush=True)
        outcome = describe(start())
    except GanopsError as error:
        _end(error.exit_code, f"error: {error}", log)
    except OSError as error:
        if log.is_file():
            logging.getLogger(__name__).exception("the flow failed")
        _end(FAILED, f"error: {error}\n  to do: correct the path, or see `ganops doctor`", log)
    except KeyboardInterrupt:
        _end(INTERRUPTED, "interrupted: the same command resumes where it was", log)
    except SystemExit as ended:
        if ended.code != TERMINATED:
            raise
        _end(TERMINATED, "terminated: the same command resumes where it was", log)
    except Exception as error:
        logging.getLogger(__name__).exception("the flow failed")
        _end(FAILED, f"error: the flow failed\n  found: {type(error).__name__}: {error}", log)
    write_text(WORKSPACE.outcome, outcome + "\n")
    logging.disable(logging.INFO)  # the outcome is the last thing on the screen
    print(f"\n{outcome}")
    sys.exit(0)


def check_server() -> None:
    """Raise StageError where the server that PREFECT_API_URL names does not answer; Prefect tries for a minute."""
    from prefect.settings import PREFECT_API_URL

    address = PREFECT_API_URL.value()
    reason = why_silent(address, "/health") if address else ""
    if reason:
        raise StageError(
            "the Prefect server does not answer",
            code="prefect-silent",
            expected=f"Prefect at {redact(address)}",
            found=reason,
            action="start it (make server), correct PREFECT_API_URL, or unset it: a flow then starts its own",
            exit_code=os.EX_TEMPFAIL,
        )


def _keep_full_log(path: Path) -> None:
    """Everything that is logged goes to `path`; the screen goes without tracebacks and repeated errors."""
    path.parent.mkdir(exist_ok=True)
    # By the last line, not by the name: a flow of a day may have begun before twenty short ones.
    for old in sorted(path.parent.glob("*.log"), key=lambda file: file.stat().st_mtime)[:-KEPT_LOGS]:
        old.unlink(missing_ok=True)
    screen, file = list(logging.root.handlers), logging.FileHandler(path, encoding="utf-8", errors="replace")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.root.addHandler(file)
    for handler in screen:
        handler.addFilter(_is_for_the_screen)


def _is_for_the_screen(record: logging.LogRecord) -> bool:
    """Not what the last message says again: a failure as Prefect and DVC report it."""
    prefect = record.name.startswith("prefect")
    return not (
        record.exc_info
        or (prefect and record.levelno >= logging.ERROR)
        or (prefect and record.getMessage().startswith(("Finished in state Failed", "Finished in state Crashed")))
        or record.getMessage().startswith(DVC_ERROR)
    )


def _end(code: int, message: str, log: Path) -> NoReturn:
    logging.disable(logging.INFO)
    print(redact(message) + (f"\n  log: {log}" if log.is_file() else ""), file=sys.stderr, flush=True)
    sys.exit(code)
