"""A port that is taken is known before a model is loaded, whoever took it."""

from __future__ import annotations

import asyncio
import socket

import pytest
from service import free_port

from ganops.errors import GanopsError
from ganops.serving.listening import open_addresses, take_addresses, url


def test_a_taken_port_and_an_unknown_host_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(GanopsError) as taken:
        take_addresses("127.0.0.1", other.getsockname()[1])
    assert (taken.value.code, taken.value.found) == ("port-taken", "Address already in use")
    with pytest.raises(GanopsError) as unknown:
        take_addresses("300.1.1.1", 1)
    assert unknown.value.code == "port-taken"


def test_of_two_that_start_at_once_one_is_refused() -> None:
    port = free_port()
    first, second = take_addresses("127.0.0.1", port), take_addresses("127.0.0.1", port)
    open_addresses(second, "127.0.0.1", port)
    with pytest.raises(GanopsError) as refused:
        open_addresses(first, "127.0.0.1", port)
    assert refused.value.code == "port-taken"
    for each in (*first, *second):
        each.close()


def test_every_address_of_localhost_is_open() -> None:
    port = free_port()
    sockets = take_addresses("localhost", port)
    open_addresses(sockets, "localhost", port)
    for each in sockets:
        socket.create_connection(each.getsockname()[:2], timeout=5).close()
        each.close()
    assert url("::1", port) == f"http://[::1]:{port}/"


def test_answers_are_sent_without_delay() -> None:
    async def accepted_without_delay() -> int:
        port, found = free_port(), asyncio.get_running_loop().create_future()
        (listening,) = take_addresses("127.0.0.1", port)
        open_addresses([listening], "127.0.0.1", port)

        def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        async with await asyncio.start_server(accepted, sock=listening):
            _, client = await asyncio.open_connection("127.0.0.1", port)
            without_delay: int = await asyncio.wait_for(found, 5)
            client.close()
        return without_delay

    assert asyncio.run(accepted_without_delay())
