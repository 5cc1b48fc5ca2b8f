"""A service of `ganops serve` behind a real server of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import torch
from service import free_port

from ganops.serving.serve import make_server
from ganops.serving.service import Service
from ganops.serving.settings import ServiceSettings


@dataclass
class Running:
    """A service that answers: in this process, and over HTTP."""

    service: Service
    client: httpx.Client
    address: str

    def generate(self, **asked: object) -> httpx.Response:
        """Send one request."""
        return self.client.post("/generate", json=asked)

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        return float(self.client.get("/metrics").text.partition(f"\n{name} ")[2].partition("\n")[0])


@contextmanager
def running_service(model: str | Path, **settings: object) -> Iterator[Running]:
    """Serve a model until the block ends; settings: those of the service that differ from a test's."""
    limits = {"threads": 1, "batch": 16, "poll_seconds": 0.1, **settings}
    service = Service(str(model), torch.device("cpu"), ServiceSettings.model_validate(limits))
    try:
        service.start()
        port = free_port()
        server = make_server(service, "127.0.0.1", port)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, timeout=20, trust_env=False) as client:
            yield Running(service, client, address)
        server.should_exit = True
        thread.join()
    finally:
        service.close()
