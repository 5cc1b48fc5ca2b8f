"""Run the service under uvicorn, until it is asked to stop."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import torch
import uvicorn

from ganops.serving.app import create_app
from ganops.serving.listening import WAITING, open_addresses, take_addresses, url
from ganops.serving.service import Service
from ganops.serving.settings import ServiceSettings

DRAIN_SECONDS = 10  # for the requests at hand when the service is asked to stop
IDLE_SECONDS = 30  # after which a connection without requests is closed
SWITCH_SECONDS = 0.001  # after which a thread hands Python to another; the default, 5 ms, is more than a request takes


def serve(
    address: str,
    device: torch.device,
    settings: ServiceSettings,
    host: str,
    port: int,
    say: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; requests at hand are answered first.

    say: gets one line when the model is loaded. Raises GanopsError where it cannot be, or the port is taken.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    for noisy in ("httpx", "alembic", "mlflow"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    sys.setswitchinterval(SWITCH_SECONDS)
    sockets = take_addresses(host, port)
    service = Service(address, device, settings)
    try:
        service.start()
        server = make_server(service, host, port)
        served = service.models.get()
        sizes = ", ".join(map(str, served.sizes[next(iter(served.game.tasks))]))
        open_addresses(sockets, host, port)
        say(f"{served.name} ({served.recipe}) on {device}, batches of {sizes}: {url(host, port)}")
        server.run(sockets)
    finally:
        service.close()


def make_server(service: Service, host: str, port: int) -> uvicorn.Server:
    """A server of the app. It writes no access log: addresses and bodies of requests are nobody's business."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(service),
            host=host,
            port=port,
            access_log=False,
            log_level="warning",
            backlog=WAITING,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            server_header=False,
        )
    )
