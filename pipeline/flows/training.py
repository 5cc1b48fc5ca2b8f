"""The training flow: every stage of dvc.yaml as a task, then the gate.

DVC decides what has to run; Prefect runs it, with retries, timeouts and artifacts; MLflow remembers.
`python -m pipeline.flows.training` needs no server: Prefect then starts a temporary one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from ganops.errors import GanopsError, RegistryError
from ganops.params import load_params
from pipeline.flows.artifacts import artifact_key, stage_markdown
from pipeline.flows.entry import run_flow
from pipeline.flows.graph import Stage, is_up_to_date, read_stages
from pipeline.flows.outcome import Outcome, verdict
from pipeline.flows.process import Processes
from pipeline.flows.reproduce import StageError, reproduce
from pipeline.flows.retries import RETRIED
from pipeline.flows.slots import Slots, gpu_ids, places
from pipeline.stages.results import PARAMS, PREPARED, REFERENCE, REPORT

if TYPE_CHECKING:
    from ganops.registry.promotion import Promotion

DAY = 24 * 3600.0


# DVC knows what is up to date, so Prefect must not remember results of its own.
@task(task_run_name="{stage.name}", cache_policy=NO_CACHE, **RETRIED)
def run_stage(stage: Stage, processes: Processes, slots: Slots, environment: dict[str, str], timeout: float) -> bool:
    """Run one stage if it has to, and show what it made; whether it ran."""
    with slots.take() as place:
        ran = reproduce(stage.name, processes, get_run_logger().info, environment | place, timeout)
    text = stage_markdown(stage) if ran else None
    if text:
        create_markdown_artifact(text, key=artifact_key(stage), description=f"what {stage.name} made")
    return ran


@task(task_run_name="gate", cache_policy=NO_CACHE)
def run_gate(processes: Processes) -> Promotion:
    """Put the registered winner before the gate; params.gate.mode decides what follows."""
    from ganops.registry.promotion import promote

    params, say = load_params(PARAMS), get_run_logger().info
    try:
        found = promote(params, reference=REFERENCE, prepared=PREPARED)
    except RegistryError as error:
        # Results may be up to date where the registry is new: after `dvc pull` in a fresh clone, or on another server.
        say(f"{error.message}: registering the winner anew")
        reproduce("register", processes, say, force=True)
        found = promote(params, reference=REFERENCE, prepared=PREPARED)
    say(verdict(found))
    create_markdown_artifact(verdict(found), key="gate", description="whether the winner became champion, and why")
    return found


@flow(name="train-gans")
def train_gans(parallel: int | None = None, stage_timeout: float = DAY) -> Outcome:
    """Bring every stage of dvc.yaml up to date, then put the winner before the gate.

    parallel: how many stages may run at once, None: as many as keep the machine busy; they share its GPUs, or else its
    cores. stage_timeout: seconds a stage may take.
    Raises StageError naming what failed.
    """
    processes = Processes()
    try:
        ran = () if is_up_to_date() else run_stages(processes, parallel, stage_timeout)
        return Outcome(ran, run_gate(processes))
    finally:
        processes.stop()


def run_stages(processes: Processes, parallel: int | None, timeout: float) -> tuple[str, ...]:
    """Run the stages under one parent run in MLflow, each after those it needs; names of those that ran."""
    from ganops.tracking.run import PARENT_VARIABLE, flow_run

    params, gpus = load_params(PARAMS), gpu_ids()
    share = params.train.processes * (1 if gpus else params.train.threads)
    slots = Slots(parallel or places(gpus, share), gpus)
    with flow_run("train-gans", params=params) as parent:
        environment = {PARENT_VARIABLE: parent.run_id}
        futures: dict[str, PrefectFuture[bool]] = {}
        for stage in read_stages():
            needed = [futures[need] for need in stage.needs]
            futures[stage.name] = run_stage.submit(
                stage, processes, slots, environment, timeout, return_state=False, wait_for=needed
            )
        for future in futures.values():
            future.wait()
        failed = [str(error) for future in futures.values() if isinstance(error := _error_of(future), GanopsError)]
        if failed:
            raise StageError("\n".join(failed))
        parent.log_file(REPORT)
        return tuple(name for name, future in futures.items() if future.result())


def _error_of(future: PrefectFuture[bool]) -> object:
    return future.state.result(raise_on_failure=False) if future.state.is_failed() else None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--parallel", type=click.IntRange(1), help="stages that may run at once  [default: as cores or GPUs allow]"
)
@click.option("--stage-hours", default=24.0, show_default=True, help="hours after which a stage is stopped")
def main(parallel: int | None, stage_hours: float) -> None:
    """Train, score, compare, register and promote, as params.yaml says."""
    run_flow(lambda: train_gans(parallel, stage_hours * 3600))


if __name__ == "__main__":
    main()
