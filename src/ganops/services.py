"""Whether a service answers, asked within seconds; services of this machine are never asked through a proxy."""

from __future__ import annotations

import os
import ssl
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, urlopen

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SECONDS = 8.0
NO_ADDRESS = "not an address of the form http://HOST:PORT"
GATEWAY_ERRORS = (502, 503, 504)  # what a proxy answers for a service that does not


def bypass_proxies_on_loopback() -> None:
    """Add this machine to NO_PROXY, for this process and its children, where the environment names a proxy."""
    known = getproxies_environment()
    if not known.keys() - {"no"} or known.get("no") == "*":
        return
    hosts = [host for host in known.get("no", "").split(",") if host]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))


def why_silent(address: str, path: str = "", seconds: float = SECONDS) -> str:
    """Why the HTTP service at `address` does not answer a request for `path`; empty where it answers, with any status.

    A user and a password in the address are not sent. A certificate that is not trusted counts as an answer: clients
    have settings of their own for that.
    """
    try:
        parts = urlsplit(address)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        if parts.scheme not in ("http", "https") or not host:
            return NO_ADDRESS
        port = f":{parts.port}" if parts.port else ""
        urlopen(f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}{path}", timeout=seconds).close()  # noqa: S310
    except HTTPError as error:
        return f"status {error.code} {error.reason}" if error.code in GATEWAY_ERRORS else ""
    except ValueError:  # whose text repeats a part of the address, perhaps of a password
        return NO_ADDRESS
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return ""
        return f"no answer within {seconds:g} seconds" if isinstance(reason, TimeoutError) else str(reason)
    return ""
