"""Messages about retrainings, through Apprise, to the addresses that environment variables hold: params.yaml, `notify`.

A message that cannot be sent never fails a run, and no address is ever printed: it holds a password.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Literal

from ganops.params import NotifyParams
from ganops.tracking.location import redact, repository_root

Event = Literal["verdict", "failure", "drift"]
TITLES: dict[Event, str] = {"verdict": "retrained", "failure": "retraining failed", "drift": "pictures have drifted"}


def notify(params: NotifyParams, event: Event, text: str, log: Callable[[str], None]) -> None:
    """Send `text` to every address, where the settings ask for this event; what could not be sent is logged."""
    addresses = {name: address for name in params.urls if (address := os.environ.get(name, "").strip())}
    if event not in params.events or not addresses:
        return
    from apprise import Apprise, NotifyType

    kinds = {"verdict": NotifyType.SUCCESS, "failure": NotifyType.FAILURE, "drift": NotifyType.WARNING}
    title = f"ganops: {TITLES[event]} ({repository_root().name} on {socket.gethostname()})"
    for name, address in addresses.items():
        messenger = Apprise()
        if not messenger.add(address):
            log(f"{name} does not hold an address that Apprise knows: nobody was notified by it")
        elif not messenger.notify(body=redact(text), title=title, notify_type=kinds[event]):
            log(f"the message to the address in {name} was not sent")
