"""The search for a better recipe as a flow of one task, so that a person, a schedule or a work pool can start it.

All trials run inside that task, as processes of the machine or on the Ray cluster that `--ray` names: Ray deals out
many short trainings, and Prefect's own server is not asked once for each of them.
"""

from __future__ import annotations

import os
import signal
import sys

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from ganops.tracking.location import redact
from pipeline.flows.begin import flow_commands
from pipeline.flows.command_group import CommandGroup
from pipeline.flows.entry import check_server
from pipeline.flows.reproduce import StageError, TransientError
from pipeline.flows.retries import RETRIED
from pipeline.stages.entry import run_stage


@task(task_run_name="search {recipe}", cache_policy=NO_CACHE, **RETRIED)
def run_search(recipe: str, options: list[str], commands: CommandGroup) -> None:
    """Run `ganops search RECIPE OPTIONS`; killed or without the tracking store it is tried again, and continues."""
    command = [sys.executable, "-m", "pipeline", "ganops", "search", recipe, *options]
    ended = commands.run(command, get_run_logger().info)
    if ended.code:
        passes = ended.code in (os.EX_TEMPFAIL, -signal.SIGKILL, 128 + signal.SIGKILL)
        kind = TransientError if passes else StageError
        raise kind(f"the search for a better {recipe} failed", code="search-failed", found=redact(ended.text[-2000:]))


@flow(name="search-recipe")
def search_recipe(recipe: str, options: list[str] | None = None) -> None:
    """Search for better settings of a recipe.

    options: those of `ganops search`, such as ["--trials", "100", "--ray", "auto"].
    """
    with flow_commands() as commands:
        run_search(recipe, options or [], commands)


def main(recipe: str, *options: str) -> None:
    """Search once."""
    check_server()
    search_recipe(recipe, list(options))


if __name__ == "__main__":
    run_stage(main)
