"""Search for a better recipe: trials, the best of them with several seeds, a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ganops.search.executor import Executor


@click.command(short_help="search for a better recipe")
@click.argument("recipe")
@click.option(
    "--trials", type=click.IntRange(2, 10_000), default=50, show_default=True, help="In all; more continue a search."
)
@click.option(
    "--budget", default=None, metavar="TIME|KIMG", help="Of each trial: 1min, 90s, 40kimg.  [default: the recipe's own]"
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of the proposals.")
@click.option("--top", type=click.IntRange(1, 100), default=3, show_default=True, help="Trials that are trained again.")
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="With which they are trained again."
)
@click.option(
    "--parallel", type=click.IntRange(1, 1024), default=None, help="Trainings at once.  [default: 1; Ray: as fit]"
)
@click.option(
    "--ray", "address", default=None, metavar="ADDRESS", help="Of a Ray cluster to train on; local: start one."
)
@click.option(
    "--cpus", type=click.FloatRange(0, min_open=True), default=1.0, help="Of each training on Ray.  [default: 1]"
)
@click.option(
    "--gpus", type=click.FloatRange(0), default=0.0, help="Of each training on Ray, such as 0.25.  [default: 0]"
)
@click.option("--name", default=None, metavar="NAME", help="Of the recipe that is found.  [default: RECIPE-found]")
@click.option("--restart", is_flag=True, help="Remove an earlier search of this recipe first.")
def command(
    recipe: str,
    trials: int,
    budget: str | None,
    seed: int,
    top: int,
    seeds: int,
    parallel: int | None,
    address: str | None,
    cpus: float,
    gpus: float,
    name: str | None,
    restart: bool,
) -> None:
    """Search for better settings of RECIPE in the space of pipeline/searches/RECIPE.yaml, on the prepared data.

    Each trial trains a variant; hopeless ones are ended early. The best are trained again with several seeds and
    compared with RECIPE itself; the winner becomes a recipe file. What was interrupted continues with the same command.
    """
    from ganops.search.budget import Budget, read_budget
    from ganops.search.order import make_order

    order = make_order(
        recipe,
        budget=read_budget(budget) if budget else Budget(),
        trials=trials,
        seed=seed,
        top=top,
        seeds=seeds,
        found=name,
    )
    from ganops.search.run import search  # which needs the packages that `make_order` asks for

    search(order, _executor(parallel, address, cpus, gpus), restart=restart)


def _executor(parallel: int | None, address: str | None, cpus: float, gpus: float) -> Executor:
    if address is None:
        from ganops.machine import gpu_ids
        from ganops.search.executor import LocalProcesses

        return LocalProcesses(parallel or 1, gpu_ids())
    from ganops.search.ray_cluster import RayCluster

    return RayCluster(parallel, address, cpus=cpus, gpus=gpus)
