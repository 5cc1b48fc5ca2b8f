"""Which process keeps a run open, so that the runs of killed processes can be told from those at work."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

import psutil

from ganops.tracking.location import repository_root

HOST, BOOT, NAMESPACE, NETWORK, PID, STARTED, CHECKOUT = (
    f"process.{name}" for name in ("host", "boot", "namespace", "network", "pid", "started", "checkout")
)

CONTAINER = re.compile(r"[0-9a-f]{12}")  # the name of a machine that is a container of Docker


def process_tags() -> dict[str, str]:
    """The machine, its present boot, this process and its checkout, as tags of what the process keeps open."""
    return {
        HOST: socket.gethostname(),
        BOOT: _read("/proc/sys/kernel/random/boot_id"),
        NAMESPACE: _target("/proc/self/ns/pid"),
        NETWORK: _target("/proc/self/ns/net"),
        PID: str(os.getpid()),
        STARTED: _started(os.getpid()) or "",
        CHECKOUT: str(repository_root()),
    }


def has_died(tags: Mapping[str, str], gone: Collection[str] = ()) -> bool:
    """Whether the process that wrote `tags` is known to have ended.

    False for a process of another machine whose name is not in `gone`, of another container, or of another checkout
    that is still there: nothing is known of those. Docker names a container after its id: processes of that name and of
    another network are of a time before it was restarted. Those of the same network may be at work: in a sandbox within
    the container, or in a second container that shares its network and name.
    """
    mine, checkout = process_tags(), tags.get(CHECKOUT, "")
    if tags.get(HOST) != mine[HOST]:
        return tags.get(HOST) in gone
    if not checkout:
        return False
    if checkout != mine[CHECKOUT] and Path(checkout).exists():
        return False
    if tags.get(BOOT) != mine[BOOT]:
        return True
    pid = tags.get(PID, "")
    if not pid.isdecimal():  # edited by somebody
        return False
    if tags.get(NAMESPACE) != mine[NAMESPACE]:
        return CONTAINER.fullmatch(mine[HOST]) is not None and tags.get(NETWORK) != mine[NETWORK]
    return _started(int(pid)) != tags.get(STARTED)


def _started(pid: int) -> str | None:
    """When a process started, None where there is none. In ticks since boot, which no change of the clock moves."""
    stat = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if stat:
        return None if stat[0] == "Z" else stat[19]
    try:
        return f"{psutil.Process(pid).create_time():.0f}"
    except psutil.Error:
        return None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _target(link: str) -> str:
    try:
        return str(Path(link).readlink())
    except OSError:
        return ""
