"""Generate over HTTP with a model, and with a page for people; follows the alias without a restart."""

from __future__ import annotations

import click

from ganops.commands._champion import champion

PORT = 8000


@click.command(short_help="serve a model over HTTP, with a page for people")
@click.argument("model", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0: all, for others.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which clients may call the service; repeatable.  [default: this machine's own; any with --host]",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps, auto ...")
@click.option("--threads", type=click.IntRange(0, 1024), default=0, help="Of a CPU.  [default: all but one]")
@click.option("--batch", type=click.IntRange(1, 1024), default=64, show_default=True, help="Most images at once.")
@click.option(
    "--largest-request", type=click.IntRange(1), default=1000, show_default=True, help="Images of one request at most."
)
@click.option(
    "--backlog",
    type=click.IntRange(1),
    default=4000,
    show_default=True,
    help="Images that may wait; more are refused with status 429.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds until a request is given up.",
)
@click.option(
    "--poll",
    type=click.FloatRange(0, min_open=True),
    default=5.0,
    show_default=True,
    help="Seconds between two looks at the alias.",
)
def command(
    model: str | None,
    host: str,
    port: int,
    allowed_hosts: tuple[str, ...],
    device: str,
    threads: int,
    batch: int,
    largest_request: int,
    backlog: int,
    deadline: float,
    poll: float,
) -> None:
    """Serve MODEL: POST /generate, GET /model, /live, /ready, /metrics, /openapi.json, and a page at /.

    MODEL is an address in the registry (models:/NAME@champion, models:/NAME/3), a model folder, or the name of a recipe
    that was trained here; by default the champion. An alias is followed: when it moves, the new version is loaded,
    tested and takes over; where that fails, the old one stays and /ready says why.
    """
    from ganops.api import SCHEME
    from ganops.devices import find_device
    from ganops.services import LOOPBACK
    from ganops.serving.serve import serve
    from ganops.serving.settings import LOCAL_HOSTS, ServiceSettings
    from ganops.settings import validate
    from ganops.tracking.store import connect

    settings = validate(
        ServiceSettings,
        {
            "threads": threads,
            "batch": batch,
            "largest_request": largest_request,
            "backlog": backlog,
            "deadline_seconds": deadline,
            "poll_seconds": poll,
            "allowed_hosts": list(allowed_hosts) or ([*LOCAL_HOSTS] if host in LOOPBACK else ["*"]),
        },
        "ganops serve",
    )
    address = model or champion()
    if address.startswith(SCHEME):
        connect()
    serve(address, find_device(device), settings, host, port, click.echo)
