"""Services are asked within seconds, and those of this machine never through a proxy."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ganops.services import LOOPBACK, NO_ADDRESS, bypass_proxies_on_loopback, why_silent

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/") or 200))
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        for variable in (name, name.upper()):
            monkeypatch.setenv(variable, "")  # so that it is restored
            monkeypatch.delenv(variable)


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("path", "reason"), [("", ""), ("/404", ""), ("/500", ""), ("/503", "status 503")])
def test_any_answer_counts_but_that_of_a_gateway(server: str, path: str, reason: str) -> None:
    found = why_silent(f"http://me:secret@{server}/", path)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_a_service_that_accepts_and_never_answers_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        started = time.monotonic()
        found = why_silent(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.3)
    assert found == "no answer within 0.3 seconds"
    assert time.monotonic() - started < 2


def test_a_port_without_a_service_is_refused_at_once() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    assert "refused" in why_silent(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("address", ["foo", "ftp://host", "http://", "http://host:x", "http://[::1"])
def test_what_is_not_an_address_is_said(address: str) -> None:
    assert why_silent(address)


def test_no_part_of_a_password_is_said() -> None:
    assert why_silent("http://me:hunter2/secret@127.0.0.1:9") == NO_ADDRESS


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("known", ["", "intranet.example"])
def test_a_service_of_this_machine_is_never_asked_through_a_proxy(
    server: str, monkeypatch: pytest.MonkeyPatch, variable: str, known: str
) -> None:
    """The library, and requests and httpx in a child process, as MLflow and Prefect use them."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{silent.getsockname()[1]}")
        if known:
            monkeypatch.setenv("NO_PROXY", known)
        bypass_proxies_on_loopback()
        assert why_silent(f"http://{server}", seconds=2) == ""
        program = (
            "import sys, httpx, requests\n"
            "for get in (requests.get, httpx.get): print(get(f'http://{sys.argv[1]}', timeout=2).status_code)"
        )
        done = subprocess.run([sys.executable, "-c", program, server], capture_output=True, text=True, check=False)
        assert done.stdout.split() == ["200", "200"], done.stderr
    assert os.environ["NO_PROXY"].split(",") == [*filter(None, [known]), *LOOPBACK]


def test_without_a_proxy_the_environment_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    bypass_proxies_on_loopback()
    assert "NO_PROXY" not in os.environ
    monkeypatch.setenv("http_proxy", "http://proxy.example")
    monkeypatch.setenv("no_proxy", "*")
    bypass_proxies_on_loopback()
    assert os.environ["no_proxy"] == "*"
