"""Scheduled retraining: pull, bring everything up to date, promote, push.

prefect.yaml puts this flow on a schedule; `python -m pipeline.flows.run retraining` runs it once.
"""

from __future__ import annotations

import click
from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from pipeline.flows.command_group import CommandGroup
from pipeline.flows.dead import end_dead_flow_runs
from pipeline.flows.entry import check_server, run_flow
from pipeline.flows.graph import has_remote
from pipeline.flows.outcome import Outcome
from pipeline.flows.reproduce import run_dvc
from pipeline.flows.retries import RETRIED
from pipeline.flows.training import DAY, train_gans


@task(cache_policy=NO_CACHE, task_run_name="dvc {command}", **RETRIED)
def exchange(command: str, commands: CommandGroup) -> None:
    """`dvc pull` or `dvc push`, the run cache included, so that no machine trains what another one has trained."""
    # What is not on the remote (yet) is made here: its absence is not an error.
    more = ["--allow-missing"] if command == "pull" else []
    run_dvc(command, "--run-cache", *more, commands=commands, log=get_run_logger().info)


@flow(name="retrain-gans")
def retrain_gans(
    pull: bool = True, push: bool = True, parallel: int | None = None, stage_timeout: float = DAY
) -> Outcome:
    """Pull, train, promote, push. Without a DVC remote nothing is pulled or pushed.

    parallel, stage_timeout: as of train_gans.
    """
    log, commands = get_run_logger().info, CommandGroup()
    for line in end_dead_flow_runs():
        log(line)
    remote = has_remote()
    if not remote:
        log("no DVC remote is configured: nothing to pull from or push to")
    try:
        if remote and pull:
            exchange("pull", commands)
        outcome = train_gans(parallel, stage_timeout)
        if remote and push:
            exchange("push", commands)
    finally:
        commands.stop()
    return outcome


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--pull/--no-pull", default=True, show_default=True, help="fetch results from the DVC remote first")
@click.option("--push/--no-push", default=True, show_default=True, help="hand results to the DVC remote at the end")
def main(pull: bool, push: bool) -> None:
    """Pull, train, score, compare, register, promote and push, once."""

    def start() -> Outcome:
        check_server()
        return retrain_gans(pull, push)

    run_flow(start)


if __name__ == "__main__":
    main()
