"""More work than can be done: what is inside is bounded, and nobody waits for what nobody wants any more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_service import Running
from service import wait_until

from ganops.data.rows import Rows
from ganops.serving import service as serving
from ganops.serving.answer import Answer, answer

HEAD = "POST /generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@contextmanager
def held_up(running: Running) -> Iterator[threading.Event]:
    """The networks wait at their next batch until the block ends; the event is set when they have come to it."""
    game = running.service.models.get().game
    generate, come, go = game.generate, threading.Event(), threading.Event()

    def slow(inputs: Rows, task: str | None = None) -> Rows:
        come.set()
        go.wait(20)
        return generate(inputs, task)

    game.generate = slow
    try:
        yield come
    finally:
        game.generate = generate
        go.set()


def test_a_full_backlog_refuses_with_a_time_to_come_again(start: Callable[..., Running], model_folder: Path) -> None:
    running = start(model_folder, backlog=20, largest_request=20)
    with ThreadPoolExecutor(2) as clients:
        with held_up(running):
            waiting = [clients.submit(running.generate, n=10, seed=seed) for seed in (1, 2)]
            wait_until(lambda: running.metric("ganops_backlog_images") == 20, 10)
            refused = running.generate(n=1)
            assert (refused.status_code, refused.json()["code"]) == (429, "busy")
            assert int(refused.headers["retry-after"]) >= 1
            assert running.client.get("/live").status_code == running.client.get("/ready").status_code == 200
        assert [each.result().status_code for each in waiting] == [200, 200]
    assert running.generate(n=20).status_code == 200
    assert running.metric("ganops_backlog_images") == 0


def test_a_request_is_given_up_at_its_deadline(start: Callable[..., Running], model_folder: Path) -> None:
    running = start(model_folder, deadline_seconds=0.3)
    with held_up(running):
        late = running.generate(n=3)
        assert (late.status_code, late.json()["code"]) == (503, "deadline")
        assert running.metric("ganops_backlog_images") == 0
    assert running.generate(n=3).status_code == 200


def test_the_work_of_a_client_that_has_gone_is_dropped(start: Callable[..., Running], model_folder: Path) -> None:
    running = start(model_folder)
    body = b'{"n": 100}'
    with held_up(running) as come:
        with socket.create_connection(("127.0.0.1", httpx.URL(running.address).port)) as connection:
            connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert come.wait(10), "16 of its rows are in the batch at hand"
        wait_until(lambda: running.metric("ganops_backlog_images") == 0, 10)
        wait_until(lambda: all(work.result.cancelled() for work in running.service._compute._waiting), 10)
    assert running.generate(n=1).status_code == 200
    assert running.metric("ganops_dropped_images_total") == 84
    assert running.metric("ganops_batch_rows_sum") == 17


def test_a_large_request_does_not_hold_up_small_ones(start: Callable[..., Running], model_folder: Path) -> None:
    running = start(model_folder)
    order: list[str] = []

    def ask(name: str, count: int) -> None:
        running.generate(n=count)
        order.append(name)

    with ThreadPoolExecutor(4) as clients:
        with held_up(running):
            first = clients.submit(ask, "large", 1000)
            wait_until(lambda: running.metric("ganops_backlog_images") == 1000, 10)
            small = [clients.submit(ask, "small", 1) for _ in range(3)]
            wait_until(lambda: running.metric("ganops_backlog_images") == 1003, 10)
        for each in (first, *small):
            each.result()
    assert order == ["small", "small", "small", "large"]


def test_a_model_that_fails_in_service_answers_without_its_inside(running: Running) -> None:
    game = running.service.models.get().game
    generate = game.generate

    def broken(inputs: Rows, task: str | None = None) -> Rows:
        raise RuntimeError("secret of the inside")

    game.generate = broken
    failed = running.generate(n=1)
    assert (failed.status_code, failed.json()["code"]) == (500, "failed")
    assert "secret" not in failed.text
    game.generate = generate
    assert running.generate(n=1).status_code == 200, "the next request is computed"


def test_a_body_that_does_not_come_is_given_up_and_one_that_is_cut_off_is_no_failure_of_the_service(
    start: Callable[..., Running], model_folder: Path
) -> None:
    running = start(model_folder, deadline_seconds=0.3)
    head = (
        "POST /generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    address = ("127.0.0.1", httpx.URL(running.address).port)
    with socket.create_connection(address, timeout=5) as slow:
        slow.sendall(head.encode())
        assert b" 503 " in slow.recv(100)
    with socket.create_connection(address) as cut_off:
        cut_off.sendall(head.encode())
    wait_until(lambda: 'ganops_requests_total{status="499"} 1.0' in running.client.get("/metrics").text, 10)


def test_a_request_is_bounded_in_numbers_too(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 1000 * running.service.models.get().numbers(None) - 1
    assert running.generate(n=1000, format="npy").status_code == 200
    monkeypatch.setattr(serving, "MOST_NUMBERS", most)
    refused = running.generate(n=1000, format="npy")
    assert (refused.status_code, refused.json()["code"], refused.json()["expected"]) == (422, "too-many", "1 to 999")


def test_large_pictures_are_not_encoded_where_all_requests_arrive(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set[str]()

    def noted(*arguments: Any) -> Answer:
        threads.add(threading.current_thread().name.partition("_")[0])
        return answer(*arguments)

    monkeypatch.setattr(serving, "answer", noted)
    assert running.generate(n=1).status_code == 200
    assert "encode" not in threads
    monkeypatch.setattr(serving, "FEW", 1)
    assert running.generate(n=1).status_code == 200
    assert "encode" in threads
