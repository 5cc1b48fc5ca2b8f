"""Trainings on the nodes of a Ray cluster, which share the checkout; each is a process of its own, as on one machine.

Ray decides where there is room, by CPUs and by shares of GPUs; everything else goes through the folder of the trial. A
node that dies takes its trainings along, and they resume from their checkpoints on another one.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ganops.atomic import write_text
from ganops.errors import SearchError
from ganops.search.process import GRACE_SECONDS, end_process, start_process
from ganops.workspace import WORKSPACE

if TYPE_CHECKING:
    from ray import ObjectRef

LOCAL = "local"  # address that starts a cluster of this machine alone
CONNECT_SECONDS = 8.0
KILLED = -9  # the exit code of a training whose node or process has died
HANDED_ON = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
FORM = "auto, ray://HOST:10001, HOST:6379 of the cluster's head node, or local"


class RayCluster:
    """As many trainings at once as the cluster has room for, `places` at most; None: no more limit than that.

    cpus, gpus: of each training; a share of a GPU lets several trainings use one. Raises SearchError where Ray is
    missing, the cluster does not answer or has too little, or where a node does not share this checkout.
    """

    def __init__(self, places: int | None, address: str, *, cpus: float, gpus: float) -> None:
        if find_spec("ray") is None:
            raise SearchError(
                "--ray needs the package ray",
                code="no-ray",
                action="make env EXTRAS='search ray', or pip install 'ganops[search,ray]'",
            )
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray
        from ray.exceptions import RayError

        try:
            _connect(address)
            ray.init(
                address=None if address == LOCAL else address,
                include_dashboard=False if address == LOCAL else None,
                log_to_driver=False,
                ignore_reinit_error=True,
            )
        except (OSError, RuntimeError, ValueError, RayError) as error:
            raise SearchError(
                f"the Ray cluster at {address} does not answer",
                code="no-cluster",
                expected=FORM,
                found=str(error).partition("\n")[0],
                action="start it: `ray start --head` on one machine, `ray start --address HOST:6379` on the others",
            ) from error
        self.root, self.cpus, self.gpus = Path.cwd(), cpus, gpus
        room = self._room(ray.cluster_resources())
        self.places = min(room, places or room)
        self._check_nodes()

    def start(self, folder: Path, environment: Mapping[str, str]) -> RayTask:
        """Give the training to the cluster."""
        import ray

        variables = {name: os.environ[name] for name in HANDED_ON if name in os.environ} | dict(environment)
        remote = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)(_train)
        return RayTask(remote.remote(str(folder), str(self.root), variables))

    def _room(self, resources: Mapping[str, float]) -> int:
        """How many trainings fit on the cluster at once."""
        asked = {"CPU": self.cpus, "GPU": self.gpus}
        room = min(int(resources.get(name, 0.0) / each) for name, each in asked.items() if each)
        if room < 1:
            raise SearchError(
                "the Ray cluster has no room for a training",
                code="no-room",
                expected=", ".join(f"{each:g} {name}" for name, each in asked.items() if each),
                found=", ".join(f"{resources.get(name, 0.0):g} {name}" for name in asked),
                action="give lower --cpus and --gpus, or add nodes",
            )
        return room

    def _check_nodes(self) -> None:
        """Raise SearchError where a node does not see what this process writes into the checkout."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        probe, token = WORKSPACE.searched(".probe").resolve(), secrets.token_hex(8)
        write_text(probe, token)
        try:
            answers = []
            for node in (each for each in ray.nodes() if each["Alive"]):
                here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                remote = ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=here)(_read)
                answers.append((node["NodeManagerHostname"], remote.remote(str(probe))))
            apart = [name for name, answer in answers if ray.get(answer) != token]
        finally:
            probe.unlink()
        if apart:
            raise SearchError(
                "not every node of the Ray cluster shares this checkout",
                code="checkout-not-shared",
                expected=f"{self.root} of {socket.gethostname()} on every node, on a shared file system",
                found=f"not on {', '.join(apart)}",
            )


class RayTask:
    """A training that was given to the cluster."""

    def __init__(self, reference: ObjectRef[int]) -> None:
        self.reference = reference

    def poll(self) -> int | None:
        """The exit code; None while it waits or runs."""
        import ray
        from ray.exceptions import RayError

        done, _ = ray.wait([self.reference], timeout=0)
        if not done:
            return None
        try:
            return int(ray.get(self.reference))
        except RayError:
            return KILLED

    def stop(self) -> None:
        """Interrupt it, and wait until it has ended."""
        import ray

        ray.cancel(self.reference)
        ray.wait([self.reference], timeout=GRACE_SECONDS + 5)


def _connect(address: str) -> None:
    """Raise OSError or ValueError where nothing listens at HOST:PORT; Ray itself tries for minutes."""
    if ":" in address:
        parts = urlsplit(address if "://" in address else f"//{address}")
        socket.create_connection((parts.hostname or "", parts.port or 0), CONNECT_SECONDS).close()


def _train(folder: str, root: str, environment: dict[str, str]) -> int:
    """On a node: train in a process of its own, which ends with this task; its exit code."""
    process = start_process(Path(folder), Path(root), environment)
    try:
        return process.wait()
    finally:
        end_process(process)


def _read(path: str) -> str:
    """On a node: the content of a file; empty where it is not there."""
    file = Path(path)
    return file.read_text(encoding="utf-8") if file.is_file() else ""
