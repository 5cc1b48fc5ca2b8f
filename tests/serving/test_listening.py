"""A port that is taken is known before a model is loaded, whoever took it."""

from __future__ import annotations

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
