"""Clients of a service: some that wait for each answer, and others that ask at a fixed rate; and what they see."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

MEBIBYTE = 2**20


@dataclass
class Counted:
    """What clients saw in one measurement: seconds of each answer with status 200, the others by status."""

    images: int = 0
    seconds: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    elapsed: float = 0.0

    def add(self, other: Counted) -> None:
        """Count what another measurement of the same saw."""
        self.images += other.images
        self.seconds += other.seconds
        self.others += other.others
        self.elapsed += other.elapsed

    @property
    def rate(self) -> float:
        """Images in a second."""
        return self.images / self.elapsed

    def quantile(self, percent: int) -> float:
        """Seconds within which so many percent of the answers came."""
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True)
class Target:
    """A service: where requests go, and the body of one for so many images from a seed."""

    port: int
    path: str
    process: psutil.Process

    def request(self, images: int, seed: int) -> bytes:
        """The bytes of a request."""
        asked = (
            {"dataframe_records": [{"n": images}], "params": {"seed": seed}}
            if self.path == "/invocations"
            else {"n": images, "seed": seed}
        )
        body = json.dumps(asked).encode()
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def memory(self) -> float:
        """Resident MiB of the service and its children."""
        processes = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_info().rss for each in processes) / MEBIBYTE


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[str, bytes]:
    """Send a request and read the whole answer: its status and its body."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n"))}
    body = await reader.readexactly(int(headers["content-length"]))
    return head.split(" ", 2)[1], body


async def closed_loop(target: Target, clients: int, images: int, seconds: float) -> Counted:
    """So many clients, each of which asks again when it has its answer.

    The first answer of each does not count: all of them connect and ask in the same moment.
    """
    counted, begin = Counted(), time.perf_counter()

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**26)
        await exchange(reader, writer, target.request(images, number))
        seed = number + clients
        while (start := time.perf_counter()) < begin + seconds:
            status, body = await exchange(reader, writer, target.request(images, seed))
            seed += clients
            if status == "200":
                counted.seconds.append(time.perf_counter() - start)
                counted.images += images
                _check(body, images)
            else:
                counted.others[status] += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    counted.elapsed = time.perf_counter() - begin
    return counted


async def open_loop(target: Target, rate: float, images: int, seconds: float) -> Counted:
    """Requests that come at a rate of so many images/s, whether or not those before them were answered."""
    counted, begin = Counted(), time.perf_counter()
    running: set[asyncio.Task[None]] = set()

    async def one(seed: int) -> None:
        start = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**26)
            status, _ = await exchange(reader, writer, target.request(images, seed))
            writer.close()
        except (OSError, asyncio.IncompleteReadError) as error:
            status = type(error).__name__
        if status == "200":
            counted.seconds.append(time.perf_counter() - start)
            counted.images += images
        else:
            counted.others[status] += 1

    sent = 0
    while (now := time.perf_counter() - begin) < seconds:
        while sent < now * rate / images:
            task = asyncio.ensure_future(one(sent))
            running.add(task)
            task.add_done_callback(running.discard)
            sent += 1
        await asyncio.sleep(0.002)
    offered = time.perf_counter() - begin
    await asyncio.gather(*running)
    counted.elapsed = offered
    return counted


def _check(body: bytes, images: int) -> None:
    """An answer with fewer images than were asked for must not count as fast."""
    answer = json.loads(body) if images == 1 else None
    if answer is not None and len(answer.get("rows") or answer["predictions"]) != images:
        raise RuntimeError("an answer has too few images")
