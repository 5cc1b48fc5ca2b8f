"""Trainings on a Ray cluster of two nodes on this machine; one of the nodes dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from search.conftest import order

from ganops.errors import SearchError
from ganops.search.budget import Budget
from ganops.search.crew import Failure, Work, run_all
from ganops.search.ray_cluster import RayCluster
from ganops.search.trial_folder import Assignment, Outcome, TrialFolder
from ganops.search.worker import main

pytest.importorskip("ray")


@pytest.fixture
def cluster(home: Path) -> Iterator[Any]:
    """A head with one CPU and one GPU, as far as Ray is told."""
    import ray
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 1, "include_dashboard": False})
    yield found
    ray.shutdown()
    found.shutdown()


def assigned(kimg: float) -> list[TrialFolder]:
    """The recipe itself with two seeds."""
    asked = order(budget=Budget(kimg=kimg))
    recipe = asked.variant(asked.own_values)
    folders = [asked.trial_folder(number) for number in range(2)]
    for seed, folder in enumerate(folders):
        assignment = Assignment(
            name=f"tiny-{seed}", params=asked.params, recipe=recipe.model_copy(update={"seed": seed}), validations=4
        )
        folder.assign(assignment)
    return folders


@pytest.mark.slow
def test_trainings_share_nodes_and_gpus_and_survive_the_death_of_a_node(cluster: Any) -> None:
    second = cluster.add_node(num_cpus=1, num_gpus=1)
    cluster.wait_for_nodes()
    assert RayCluster(None, cluster.address, cpus=0.25, gpus=0.5).places == 4
    with pytest.raises(SearchError) as caught:
        RayCluster(None, cluster.address, cpus=1, gpus=4)
    assert caught.value.code == "no-room"
    executor = RayCluster(None, cluster.address, cpus=1, gpus=0.5)
    assert executor.places == 2, "one on each node"
    folders, ended, dead = assigned(2.0), list[Outcome | Failure](), list[Any]()

    def kill_a_node() -> None:
        if not dead and all(folder.reports() for folder in folders):
            dead.append(second)
            cluster.remove_node(second, allow_graceful=False)

    works = iter([Work(folder, ended.append, kill_a_node) for folder in folders])
    run_all(executor, lambda: next(works, None), {})
    assert dead
    assert [outcome.state for outcome in ended if isinstance(outcome, Outcome)] == ["complete", "complete"]
    again = assigned(2.0)[0]
    here = [folder.outcome() for folder in folders]
    (again.path / "outcome.json").unlink()
    main(str(again.path))
    assert again.outcome() is not None
    assert here[0] is not None
    assert again.outcome().weights == here[0].weights, "the same bits as in this process"


def test_a_cluster_that_does_not_answer_is_refused(home: Path) -> None:
    began = time.monotonic()
    with pytest.raises(SearchError) as caught:
        RayCluster(None, "127.0.0.1:1", cpus=1, gpus=0)
    assert caught.value.code == "no-cluster"
    assert time.monotonic() - began < 20
