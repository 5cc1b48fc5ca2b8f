"""The training flow: every stage of dvc.yaml as a task, then the gate.

DVC decides what has to run; Prefect runs it, with retries, timeouts and artifacts; MLflow remembers.
`python -m pipeline.flows.run` needs no server: Prefect then starts a temporary one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from ganops.errors import GanopsError
from ganops.machine import gpu_ids, places
from ganops.resolved import load_params, recipe_files
from ganops.slots import Slots
from ganops.workspace import WORKSPACE
from pipeline.flows.artifacts import artifact_key, stage_markdown
from pipeline.flows.begin import flow_commands
from pipeline.flows.command_group import CommandGroup
from pipeline.flows.entry import check_server, run_flow
from pipeline.flows.gate import pass_gate
from pipeline.flows.graph import INVENTORY, Stage, is_up_to_date, read_stages
from pipeline.flows.outcome import Outcome, verdict
from pipeline.flows.reproduce import StageError, reproduce
from pipeline.flows.retries import RETRIED
from pipeline.stages.inventory import write_inventory

if TYPE_CHECKING:
    from ganops.registry.promotion import Promotion

DAY = 24 * 3600.0
PREPARE = Stage("prepare", ())


# DVC knows what is up to date, so Prefect must not remember results of its own.
@task(task_run_name="{stage.name}", cache_policy=NO_CACHE, **RETRIED)
def run_stage(stage: Stage, commands: CommandGroup, slots: Slots, environment: dict[str, str], timeout: float) -> bool:
    """Run one stage if it has to, and show what it made. Returns whether it ran."""
    with slots.take() as place:
        log, upstream = get_run_logger().info, stage == PREPARE
        ran = stage.name in reproduce(stage.name, commands, log, environment | place, timeout, upstream=upstream)
    text = stage_markdown(stage) if ran else None
    if text:
        create_markdown_artifact(text, key=artifact_key(stage), description=f"what {stage.name} made")
    return ran


@task(task_run_name="gate", cache_policy=NO_CACHE)
def run_gate(commands: CommandGroup, promote: bool) -> Promotion:
    """Put the registered winner before the gate, and show the verdict."""
    found = pass_gate(commands, get_run_logger().info, dry_run=not promote)
    create_markdown_artifact(verdict(found), key="gate", description="whether the winner became champion, and why")
    return found


@flow(name="train-gans")
def train_gans(parallel: int | None = None, stage_timeout: float = DAY, promote: bool = True) -> Outcome:
    """Bring every stage of dvc.yaml up to date, then put the winner before the gate.

    parallel: how many stages may run at once, None: as many as keep the machine busy; they share its GPUs, or else its
    cores. stage_timeout: seconds a stage may take. promote: False judges the winner and changes nothing.
    Raises StageError naming what failed.
    """
    with flow_commands() as commands:
        recipe_files(load_params(WORKSPACE.params), WORKSPACE.recipes)  # an unknown name ends it before any work
        write_inventory()
        ran: tuple[str, ...] = ()
        if is_up_to_date():
            get_run_logger().info("nothing new: data, settings and code are those of the results")
        else:
            ran = run_stages(commands, parallel, stage_timeout)
        return Outcome(ran, run_gate(commands, promote))


def run_stages(commands: CommandGroup, parallel: int | None, timeout: float) -> tuple[str, ...]:
    """Run the stages under one parent run in MLflow, each after those it needs; names of those that ran.

    `prepare` comes first and alone: which recipes there are may depend on the data.
    """
    prepared = run_stage(PREPARE, commands, Slots(1), {}, timeout)
    # Imported here: torch comes with it, and a mistake in the data is reported without it.
    from ganops.tracking.run import PARENT_VARIABLE, flow_run
    from pipeline.stages.resolve import bring_up_to_date

    bring_up_to_date()
    params, gpus = load_params(WORKSPACE.params), gpu_ids()
    train = params.train
    slots = Slots(parallel or places(gpus, train.processes * (1 if gpus else train.threads)), gpus, train.processes)
    with flow_run("train-gans", params=params) as parent:
        environment = {PARENT_VARIABLE: parent.run_id}
        futures: dict[str, PrefectFuture[bool]] = {}
        for stage in read_stages():
            if stage.name in (INVENTORY, PREPARE.name):
                continue
            needed = [futures[need] for need in stage.needs if need in futures]
            # Prefect's signature has keywords between P.args and P.kwargs, which PEP 612 does not allow.
            futures[stage.name] = run_stage.submit(  # pyrefly: ignore[no-matching-overload]
                stage, commands, slots, environment, timeout, return_state=False, wait_for=needed
            )
        for future in futures.values():
            future.wait()
        failed = [error for future in futures.values() if isinstance(error := _error_of(future), GanopsError)]
        if failed:
            raise _together(failed)
        parent.log_file(WORKSPACE.report)
        ran = [name for name, future in futures.items() if future.result()]
        return (*([PREPARE.name] if prepared else []), *ran)


def _error_of(future: PrefectFuture[bool]) -> object:
    return future.state.result(raise_on_failure=False) if future.state.is_failed() else None


def _together(errors: list[GanopsError]) -> GanopsError:
    """One error: itself; several: one that says all of them."""
    if len(errors) == 1:
        return errors[0]
    return StageError("\n".join(map(str, errors)), code="stages-failed")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--parallel", type=click.IntRange(1), help="stages that may run at once  [default: as cores or GPUs allow]"
)
@click.option("--stage-hours", default=24.0, show_default=True, help="hours after which a stage is stopped")
def main(parallel: int | None, stage_hours: float) -> None:
    """Train, score, compare, register and promote, as params.yaml says."""

    def start() -> Outcome:
        check_server()
        return train_gans(parallel, stage_hours * 3600)

    run_flow(start)


if __name__ == "__main__":
    main()
