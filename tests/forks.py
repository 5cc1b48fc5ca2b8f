"""Processes of tests that start at once: forks of a process that has imported what they need.

A fresh interpreter takes four seconds of a processor for torch and MLflow alone.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

PRELOADED = (
    *("without_torchmetrics.sitecustomize", "warm_training", "two_processes", "torch._dynamo"),
    *("ganops.training.distributed.fabric_group", "tracked_processes", "mlflow.pyfunc"),
    "mlflow.store.tracking.sqlalchemy_store",
)


def fork_context() -> multiprocessing.context.ForkServerContext:
    """Where such processes start; a test session has one, whichever test comes first."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


class Fork:
    """A process with this one's environment and folder that runs `target(connection, *arguments)`.

    target: a function of a module of this folder. It may send and receive through the connection.
    """

    def __init__(self, target: Callable[..., None], *arguments: object) -> None:
        context = fork_context()
        self._connection, its = context.Pipe()
        self.process = context.Process(target=_run, args=(dict(os.environ), target, its, arguments))
        self.process.start()
        its.close()

    def receive(self, seconds: float = 120) -> Any:
        """What the process sends next; raises where it ends before, or takes too long."""
        if not self._connection.poll(seconds):
            raise TimeoutError(f"nothing was sent in {seconds:g} s")
        return self._connection.recv()

    def send(self, value: Any) -> None:
        """Something that the process receives."""
        self._connection.send(value)

    def kill(self) -> None:
        """End it by SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.wait()

    def wait(self, seconds: float = 240) -> int | None:
        """Its exit code, -n after signal n; None where it runs on."""
        self.process.join(seconds)
        return self.process.exitcode


def _run(
    environment: dict[str, str], target: Callable[..., None], connection: Connection, arguments: tuple[Any, ...]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target(connection, *arguments)
