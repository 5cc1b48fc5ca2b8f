"""The addresses that the service listens on: taken before a model is loaded, open when it is."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

from ganops.errors import GanopsError

WAITING = 2048  # connections that the system may hold until they are accepted
NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # `localhost` may have an address in a family that is switched off


def take_addresses(host: str, port: int) -> list[socket.socket]:
    """A bound socket for each address of `host` that this machine has; `localhost` may have two.

    Raises GanopsError where the port is taken, or this machine has no such address.
    """
    sockets, missing = list[socket.socket](), list[OSError]()
    try:
        for family, *_, address in dict.fromkeys(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)):
            try:
                sockets.append(_bound(family, address))
            except OSError as error:
                if error.errno not in NOT_HERE:
                    raise
                missing.append(error)
        if not sockets:
            raise missing[0]
    except (OSError, UnicodeError) as error:  # UnicodeError: what no host can be called
        for each in sockets:
            each.close()
        raise _refused(host, port, error) from error
    return sockets


def open_addresses(sockets: Sequence[socket.socket], host: str, port: int) -> None:
    """Let clients connect; raises GanopsError where another process did so since the addresses were taken."""
    try:
        for each in sockets:
            each.listen(WAITING)
    except OSError as error:
        raise _refused(host, port, error) from error


def url(host: str, port: int) -> str:
    """Where a browser on this machine finds the service."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _bound(family: int, address: tuple[str | int | bytes, ...]) -> socket.socket:
    # asyncio sends answers without delay (TCP_NODELAY) only where the protocol is named; else each waits some 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _refused(host: str, port: int, error: Exception) -> GanopsError:
    return GanopsError(
        f"the service cannot listen on {url(host, port)}",
        code="port-taken",
        found=getattr(error, "strerror", None) or str(error),
        action="take another --port or --host, or end what listens there",
    )
