"""One pipeline on many machines: each recipe is trained and scored by some worker of the pool, and nothing here.

DVC's run cache carries the results: a worker pulls it, runs one recipe and pushes; then the same `dvc repro` as ever
finds every training in the cache, and dvc.lock is written in one place only. `python -m pipeline.flows.run spread`.
"""

from __future__ import annotations

import click
from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

from ganops.errors import SettingsError
from ganops.params import load_params
from ganops.workspace import WORKSPACE
from pipeline.flows.checkout import go_to, revision
from pipeline.flows.command_group import CommandGroup
from pipeline.flows.dead import end_dead_flow_runs
from pipeline.flows.entry import check_server, run_flow
from pipeline.flows.graph import has_remote, read_stages
from pipeline.flows.outcome import Outcome
from pipeline.flows.reproduce import StageError, TransientError, reproduce
from pipeline.flows.retraining import exchange
from pipeline.flows.retries import RETRIED
from pipeline.flows.training import train_gans

DEPLOYMENT = "stage-gans/stage"
SHARED = "reference"  # the last stage that all recipes need
LAST = "evaluate"  # the last stage of one recipe


@flow(name="stage-gans")
def stage_gans(stage: str, commit: str) -> list[str]:
    """What a worker does: bring `stage` and all before it up to date at a commit, from the cache where others made it.

    The stages that ran here.
    """
    log, commands = get_run_logger().info, CommandGroup()
    for line in end_dead_flow_runs():
        log(line)
    try:
        go_to(commit)
        exchange("pull", commands)
        ran = reproduce(stage, commands, log, upstream=True, pull=True)
        exchange("push", commands)
    finally:
        commands.stop()
    return list(ran)


@task(cache_policy=NO_CACHE, task_run_name="{stage}", **RETRIED)
def remote(stage: str, commit: str) -> None:
    """Let some worker bring a stage up to date; one whose machine was lost is given to another worker.

    Raises TransientError for that and for what passes by itself, StageError where another worker would fail, too.
    """
    run = run_deployment(DEPLOYMENT, parameters={"stage": stage, "commit": commit}, timeout=None)
    assert isinstance(run, FlowRun)  # a coroutine in an async task alone
    if run.state is None or not run.state.is_completed():
        text = str(run.state.message) if run.state else ""
        failed = run.state is not None and run.state.is_failed() and TransientError.__name__ not in text
        final = failed or (run.state is not None and run.state.is_cancelled())
        raise (StageError if final else TransientError)(
            f"{stage} {f'ended as {run.state.name}' if run.state else 'did not end'} on another machine",
            code="remote-stage-failed",
            found=text,
            action=f"see the flow run {run.name}",
        )


@flow(name="spread-gans")
def spread_gans(promote: bool = True) -> Outcome:
    """Train and score every recipe on the workers of the pool, then compare, register and promote here.

    Raises StageError without a DVC remote, with changes that were not committed, and where a worker failed.
    """
    log, commands = get_run_logger().info, CommandGroup()
    for line in end_dead_flow_runs():
        log(line)
    if not has_remote():
        raise SettingsError(
            "the machines have no way to hand on results",
            code="no-remote",
            expected="a DVC remote that all of them reach",
            action="dvc remote add --default NAME ADDRESS, then commit .dvc/config",
        )
    try:
        commit = revision()
        reproduce(SHARED, commands, log, upstream=True)
        exchange("push", commands)
        recipes = load_params(WORKSPACE.params).recipes
        stages = [each.name for each in read_stages() if each.name in {f"{LAST}@{recipe}" for recipe in recipes}]
        for future in [remote.submit(stage, commit) for stage in stages]:
            future.result()
        exchange("pull", commands)
        for stage in stages:
            reproduce(stage, commands, log, upstream=True, pull=True)
    finally:
        commands.stop()
    return train_gans(promote=promote)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--promote/--no-promote", default=True, show_default=True, help="let the winner become champion")
def main(promote: bool) -> None:
    """Train and score on the workers of the pool `ganops`, then compare, register and promote here."""

    def start() -> Outcome:
        check_server()
        return spread_gans(promote)

    run_flow(start)


if __name__ == "__main__":
    main()
