"""`ganops serve` against `mlflow models serve`: the same registered model, the same requests, the same clients.

python -m benchmarks.serving [models:/NAME@champion] [--images N] [--quick] [--json FILE]

Each client asks, waits for its answer and asks again; both services answer JSON with a base64 PNG for each image. Then
`ganops serve` alone is offered ten times what it can carry, by clients that do not wait. Both services run on this
machine with the clients, so that the figures compare, and say less about a machine of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.rows import Row, report
from benchmarks.service_clients import Counted, Target, closed_loop, open_loop
from ganops.commands._champion import champion
from ganops.tracking.location import tracking_uri
from ganops.tracking.store import connect

CLIENTS = (1, 8, 64)
ROUNDS = 3  # the services take turns, so that other work on the machine hits both alike
SECONDS, QUICK_SECONDS = 4.0, 1.0  # of one turn
OVERLOAD = 10  # times what the service can carry
OVERLOAD_IMAGES = 64  # of each request then: fewer requests, so that the clients can offer them
BACKLOG = 4096  # images; ganops serve's own default is close to it
START_SECONDS = 180
WARM_UP = 2.0  # seconds
OURS, THEIRS = "ganops serve", "mlflow models serve"


@contextmanager
def serving(command: Sequence[str], port: int, ready: str, path: str, log: Path) -> Iterator[Target]:
    """A service in a process group of its own, from its first answer to the end of the block."""
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": tracking_uri(),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    with log.open("w") as file:
        process = subprocess.Popen(  # noqa: S603, the two commands below
            command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True, env=environment
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"http://127.0.0.1:{port}{ready}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the service did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.2)
        yield Target(port, path, psutil.Process(process.pid))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as reply:  # noqa: S310, an address of this machine
            return bool(reply.status == 200)
    except OSError:
        return False


def services(model: str, folder: Path) -> dict[str, tuple[list[str], int, str, str, Path]]:
    """How both are started; see `serving`."""
    ganops = [sys.executable, "-c", "from ganops.cli import main; main()", "serve", model, "--port", "8765"]
    mlflow = [sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "--env-manager", "local", "-p", "8766"]
    return {
        OURS: ([*ganops, "--backlog", str(BACKLOG)], 8765, "/live", "/generate", folder / "ganops.log"),
        THEIRS: (mlflow, 8766, "/ping", "/invocations", folder / "mlflow.log"),
    }


def measure(targets: Mapping[str, Target], images: int, clients: int, seconds: float) -> dict[str, Counted]:
    """What so many clients see of each service, which take turns."""
    found = {name: Counted() for name in targets}
    for _ in range(ROUNDS):
        for name, target in targets.items():
            found[name].add(asyncio.run(closed_loop(target, clients, images, seconds)))
    for name, counted in found.items():
        print(
            f"  {name:<20} {clients:>3} clients x {images:>2}  {counted.rate:8,.0f} images/s"
            f"  p50 {1000 * counted.quantile(50):6,.0f} ms  p99 {1000 * counted.quantile(99):6,.0f} ms"
            f"  {dict(counted.others) or ''}",
            flush=True,
        )
    return found


def compare(targets: Mapping[str, Target], images: int, seconds: float) -> list[Row]:
    """Rows of both services at each number of clients; targets are set for one image a request."""
    rows = []
    for clients in CLIENTS:
        found = measure(targets, images, clients, seconds)
        ours, theirs = found[OURS], found[THEIRS]
        most = clients == max(CLIENTS) and images == 1
        name = f"images/s, {clients} clients, {images} a request"
        ratio = ours.rate / theirs.rate
        rows.append(Row(name, ours.rate, "images/s", THEIRS, theirs.rate, ratio, 3.0 if most else None))
    late, usual = ours.quantile(99), theirs.quantile(50)
    name = f"p99 at {max(CLIENTS)} clients, {images} a request, against its p50"
    return [*rows, Row(name, 1000 * late, "ms", THEIRS, 1000 * usual, usual / late, 1.0 if images == 1 else None)]


def overload(target: Target, seconds: float) -> list[Row]:
    """Ten times what the service can carry: errors other than 429, waiting times, memory."""
    carried = asyncio.run(closed_loop(target, 16, OVERLOAD_IMAGES, seconds)).rate
    before = target.memory()
    counted = asyncio.run(open_loop(target, OVERLOAD * carried, OVERLOAD_IMAGES, seconds))
    grown = target.memory() - before
    again = asyncio.run(open_loop(target, OVERLOAD * carried, OVERLOAD_IMAGES, seconds))
    more = target.memory() - before - grown
    others = counted.others + again.others
    errors = sum(count for status, count in others.items() if status != "429")
    print(f"  overload: {dict(others)}, {len(counted.seconds) + len(again.seconds)} answered")
    print(f"  memory: {before:,.0f} MiB, then {grown:+,.0f} and {more:+,.0f} MiB")
    return [
        Row(
            "images/s at ten times the load",
            counted.rate,
            "images/s",
            "as much as it can carry",
            carried,
            counted.rate / carried,
            None,
        ),
        Row("errors but 429 at ten times the load", errors, "requests", "none", 0, 1.0 if errors == 0 else 0.0, 1.0),
        Row("p99 of what was admitted", counted.quantile(99), "s", "the deadline", 30, 30 / counted.quantile(99), 1.0),
        Row(
            "memory after the second overload",
            before + grown + more,
            "MiB",
            "after the first",
            before + grown,
            (before + grown) / (before + grown + more),
            0.97,
        ),
    ]


def main() -> None:
    """Measure, print, write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", nargs="?", help="a registered model; by default the champion")
    arguments.add_argument("--images", type=int, nargs="+", default=[1, 16], help="images of a request")
    arguments.add_argument("--quick", action="store_true", help="two seconds for each measurement")
    arguments.add_argument("--logs", type=Path, default=Path("build"), help="folder for the logs of both services")
    arguments.add_argument("--json", type=Path, default=None, help="file for the rows")
    options = arguments.parse_args()
    seconds = QUICK_SECONDS if options.quick else SECONDS
    options.logs.mkdir(parents=True, exist_ok=True)
    connect()
    with ExitStack() as stack:
        targets = {
            name: stack.enter_context(serving(*started))
            for name, started in services(options.model or champion(), options.logs).items()
        }
        for target in targets.values():
            asyncio.run(closed_loop(target, 8, 1, WARM_UP))
        rows = [row for images in options.images for row in compare(targets, images, seconds)]
        report([*rows, *overload(targets[OURS], ROUNDS * seconds)], options.json)


if __name__ == "__main__":
    main()
