"""How each flow begins: runs of killed processes are ended, and its commands are ended with it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from prefect import get_run_logger

from pipeline.flows.command_group import CommandGroup
from pipeline.flows.dead import end_dead_flow_runs


def begin() -> None:
    """End the flow runs of killed processes, and log which."""
    for line in end_dead_flow_runs():
        get_run_logger().info(line)


@contextmanager
def flow_commands() -> Generator[CommandGroup]:
    """Begin a flow that runs commands; none of them is left when the block ends, however it ends."""
    begin()
    commands = CommandGroup()
    try:
        yield commands
    finally:
        commands.stop()
