"""One pipeline on many machines: each recipe is trained and scored by some worker of the pool, and nothing here.

DVC's run cache carries the results: a worker pulls it, runs one recipe and pushes; then the same `dvc repro` as ever
finds every training in the cache, and dvc.lock is written in one place only. `python -m pipeline.flows.run spread`.
"""

from __future__ import annotations

from typing import Any

import click
from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment

from ganops.errors import SettingsError
from ganops.resolved import load_params
from ganops.workspace import WORKSPACE
from pipeline.flows.begin import flow_commands
from pipeline.flows.checkout import go_to, revision
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

    Returns the stages that ran here.
    """
    with flow_commands() as commands:
        go_to(commit)
        exchange("pull", commands)
        ran = reproduce(stage, commands, get_run_logger().info, upstream=True, pull=True)
        exchange("push", commands)
    return list(ran)


@task(cache_policy=NO_CACHE, task_run_name="{stage}", **RETRIED)
def remote(stage: str, commit: str) -> None:
    """Let some worker bring a stage up to date; one whose machine was lost is given to another worker.

    Raises TransientError for that and for what passes by itself, StageError where another worker would fail, too.
    """
    run = run_deployment(DEPLOYMENT, parameters={"stage": stage, "commit": commit}, timeout=None)
    assert isinstance(run, FlowRun)  # a coroutine in an async task alone
    state = run.state
    if state is not None and state.is_completed():
        return
    kind = StageError if state is not None and _is_final(state) else TransientError
    raise kind(
        f"{stage} {f'ended as {state.name}' if state else 'did not end'} on another machine",
        code="remote-stage-failed",
        found=str(state.message) if state else "",
        action=f"see the flow run {run.name}",
    )


def _is_final(state: State[Any]) -> bool:
    """Whether another worker would end no better: a person has cancelled the run, or the stage itself has failed.

    A crashed run lost its machine. A failed one names the error that its flow raised.
    """
    return state.is_cancelled() or (state.is_failed() and TransientError.__name__ not in str(state.message))


@flow(name="spread-gans")
def spread_gans(promote: bool = True) -> Outcome:
    """Train and score every recipe on the workers of the pool, then compare, register and promote here.

    Raises StageError without a DVC remote, with changes that were not committed, and where a worker failed.
    """
    log = get_run_logger().info
    with flow_commands() as commands:
        if not has_remote():
            raise SettingsError(
                "the machines have no way to hand on results",
                code="no-remote",
                expected="a DVC remote that all of them reach",
                action="dvc remote add --default NAME ADDRESS, then commit .dvc/config",
            )
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
