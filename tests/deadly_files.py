"""Image files whose reading ends the process that reads them, as a system out of memory does."""

from __future__ import annotations

import os
import signal

from ganops.data.listing import Candidate, Listing


class DeadlyFiles:
    """Files for processes other than the one in which this was made."""

    def __init__(self) -> None:
        self.home = os.getpid()

    def scan(self) -> Listing:
        """One name is enough."""
        return Listing([Candidate("a.png", ("a.png",))])

    def read(self, name: str) -> bytes:
        """End the process without a word."""
        assert os.getpid() != self.home, f"{name} must not be read in the test's own process"
        os.kill(os.getpid(), signal.SIGKILL)
        return b""
