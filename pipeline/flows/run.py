"""`python -m pipeline.flows.run [training | retraining] [OPTION ...]`: run a flow once, in a session of its own.

Where nothing has to run, the winner is put before the gate without a flow: importing Prefect and starting its temporary
server would take longer than all the rest. A signal to this process' group (Ctrl-C, the end of a terminal) reaches the
flow alone, and not its server, which has to outlive it: without a server Prefect tries for a minute and then fails.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from ganops.resolved import load_params, recipe_files
from ganops.settings import refuse_conflict, refuse_damaged
from ganops.tracking.lineage import why_no_commit
from ganops.workspace import WORKSPACE
from pipeline.flows.command_group import CommandGroup
from pipeline.flows.entry import run_flow
from pipeline.flows.gate import pass_gate
from pipeline.flows.graph import is_up_to_date
from pipeline.flows.outcome import Outcome
from pipeline.flows.reproduce import StageError
from pipeline.stages.entry import run_stage
from pipeline.stages.inventory import write_inventory

LOCK = Path("dvc.lock")
HELP = {"-h", "--help"}


def main(*arguments: str) -> None:
    """Run a flow, by default `training`, or the gate alone; ends the process with the flow's exit code."""
    named = bool(arguments) and not arguments[0].startswith("-")
    flow, *options = arguments if named else ("training", *arguments)
    if flow == "training" and not HELP & set(options):
        recipe_files(load_params(WORKSPACE.params), WORKSPACE.recipes)  # an unknown name ends it before any work
        for path in (WORKSPACE.resolved, LOCK, Path("dvc.yaml")):
            refuse_conflict(path)  # in DVC's words it would be a YAML error, without a file
        if LOCK.exists():
            refuse_damaged(LOCK, "stages")
        _refuse_repository_of_another_user()
        write_inventory()
        if is_up_to_date():
            logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
            log = logging.getLogger(__name__)
            log.setLevel(logging.INFO)
            run_flow(lambda: Outcome((), pass_gate(CommandGroup(), log.info)))
    sys.exit(run_in_session([sys.executable, "-m", f"pipeline.flows.{flow}", *options]))


def _refuse_repository_of_another_user() -> None:
    """Raise StageError where git refuses this checkout: DVC would do so, too, but only after the first stages."""
    reason = why_no_commit(Path.cwd())
    if "ownership" in reason:
        raise StageError(
            "git refuses this checkout, since another user owns it",
            code="other-owner",
            found=reason,
            action='git config --global --add safe.directory "$PWD"',
        )


def run_in_session(command: list[str]) -> int:
    """Run a command in a session of its own and hand signals on to it alone; its exit code, 128 + n after signal n."""
    process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - this program's own words

    def hand_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` and `&` in a script leave it
            signal.signal(number, hand_on)
    code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    run_stage(main)
