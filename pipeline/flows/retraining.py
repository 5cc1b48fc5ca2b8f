"""Retraining by schedule, by hand, or because new pictures have drifted: pull, bring all up to date, promote, push.

prefect.yaml puts these flows on a schedule; `python -m pipeline.flows.run retraining` runs the first one once.
"""

from __future__ import annotations

import click
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from ganops.errors import GanopsError
from ganops.resolved import load_params
from ganops.workspace import WORKSPACE
from pipeline.flows.begin import begin, flow_commands
from pipeline.flows.command_group import CommandGroup
from pipeline.flows.entry import check_server, run_flow
from pipeline.flows.graph import has_remote, imported_files
from pipeline.flows.notify import Event, notify
from pipeline.flows.outcome import Outcome, verdict
from pipeline.flows.reproduce import run_dvc
from pipeline.flows.retries import RETRIED
from pipeline.flows.training import DAY, train_gans


@task(cache_policy=NO_CACHE, task_run_name="dvc {command}", **RETRIED)
def exchange(command: str, commands: CommandGroup) -> None:
    """`dvc pull` or `dvc push`, the run cache included, so that no machine trains what another one has trained."""
    # What is not on the remote (yet) is made here: its absence is not an error.
    more = ["--allow-missing"] if command == "pull" else []
    run_dvc(command, "--run-cache", *more, commands=commands, log=get_run_logger().info)


@task(cache_policy=NO_CACHE, task_run_name="dvc update", **RETRIED)
def renew(files: list[str], commands: CommandGroup) -> None:
    """`dvc update`: fetch what has changed of data that were imported from elsewhere."""
    run_dvc("update", *files, commands=commands, log=get_run_logger().info)


@flow(name="retrain-gans")
def retrain_gans(
    pull: bool = True,
    push: bool = True,
    parallel: int | None = None,
    stage_timeout: float = DAY,
    promote: bool = True,
) -> Outcome:
    """Pull, train, promote, push; where nothing is new, that is said and nothing trained.

    Data that were imported from elsewhere are renewed first. Without a DVC remote nothing is pulled or pushed.
    parallel, stage_timeout, promote: as of train_gans. A verdict on something new, and a failure, are sent to whom
    params.yaml names.
    """
    with flow_commands() as commands:
        remote = has_remote()
        if not remote:
            get_run_logger().info("no DVC remote is configured: nothing to pull from or push to")
        try:
            if remote and pull:
                exchange("pull", commands)
            if imported := imported_files():
                renew(imported, commands)
            outcome = train_gans(parallel, stage_timeout, promote)
            if remote and push:
                exchange("push", commands)
        except Exception as error:
            _tell("failure", _words(error))
            raise
    if outcome.ran or outcome.promotion.moved:
        _tell("verdict", verdict(outcome.promotion))
    return outcome


@flow(name="watch-gans")
def watch_gans(pull: bool = True, push: bool = True, parallel: int | None = None) -> bool:
    """Compare the newest pictures of watch.path with the training data, and retrain where they have drifted.

    Returns whether they have drifted. pull, push, parallel: as of retrain_gans.
    """
    # Imported here: torch comes with it.
    from ganops.evaluation.drift import look_for_drift

    begin()
    try:
        found = look_for_drift(load_params(WORKSPACE.params), WORKSPACE)
    except Exception as error:
        _tell("failure", f"new pictures cannot be compared: {_words(error)}")
        raise
    get_run_logger().info(found.describe())
    rows = [f"| {each.first} | {each.last} | {each.kid:+.5f} | {each.p:.3f} |" for each in found.windows]
    table = "\n".join(["| from | to | KID | p |", "|---|---|---|---|", *rows, "", found.describe()])
    create_markdown_artifact(table, key="drift", description="whether new pictures look like the training data")
    if found.drifted:
        _tell("drift", found.describe())
        outcome = retrain_gans(pull, push, parallel)
        if not outcome.ran:
            get_run_logger().warning("the new pictures are not among the training data: nothing could be trained")
    return found.drifted


def _tell(event: Event, text: str) -> None:
    notify(load_params(WORKSPACE.params).notify, event, text, get_run_logger().warning)


def _words(error: Exception) -> str:
    """What happened; the kind of an error that nobody foresaw."""
    return str(error) if isinstance(error, GanopsError) else f"{type(error).__name__}: {error}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--pull/--no-pull", default=True, show_default=True, help="fetch results from the DVC remote first")
@click.option("--push/--no-push", default=True, show_default=True, help="hand results to the DVC remote at the end")
@click.option("--promote/--no-promote", default=True, show_default=True, help="let the winner become champion")
def main(pull: bool, push: bool, promote: bool) -> None:
    """Pull, train, score, compare, register, promote and push, once."""

    def start() -> Outcome:
        check_server()
        return retrain_gans(pull, push, promote=promote)

    run_flow(start)


if __name__ == "__main__":
    main()
