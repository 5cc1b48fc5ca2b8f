"""One promotion at a time, on however many machines: a queue of tickets in the registry itself.

A registry has no locks, and its clients reach it in different ways: through a server, or the database directly. What
all of them share is that it numbers the versions of a model one after the other. A ticket is such a version, of a model
that holds nothing else; the lowest number of those at work has the turn (Lamport 1974, "A new solution of Dijkstra's
concurrent programming problem"). A ticket whose owner was killed shows no more beats, and does not count after a while,
measured by the clock of whoever waits: clocks of different machines are not compared. An owner that was only paused
looks for its ticket before each change (a fencing token): it was deleted, so nothing is changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ganops.errors import RegistryError
from ganops.registry.versions import Versions
from ganops.tracking.describe import user_name
from ganops.tracking.location import sqlite_path, store_lock
from ganops.tracking.outbox import first_line, warn
from ganops.tracking.process import HOST, PID, process_tags

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

ABOUT = "Not a model: who promotes at the moment. One version per promotion at work; older ones are deleted."
BEAT, DONE, WHO = "beat", "done", "who"
BEAT_SECONDS, LEASE_SECONDS, POLL_SECONDS = 10.0, 60.0, 0.5


@contextmanager
def promotion_turn(versions: Versions, seconds: float = 3600.0) -> Generator[Versions]:
    """Wait until no other process, of any machine, promotes or rolls back this model; then have the turn.

    Yields the versions to change in it: each change is refused (code "turn-lost") once another process has taken over,
    which it does from one that shows no beats for a minute. A local SQLite store has the lock of its machine alone.
    Raises RegistryError after `seconds`, and where the registry refuses.
    """
    with store_lock(versions.store.uri, "promotion"):
        any_version = None if sqlite_path(versions.store.uri) else versions.any()
        if any_version is None:  # of one machine, or without anything to promote
            yield versions
            return
        queue = _Queue(versions, any_version)
        ended = threading.Event()
        beats = threading.Thread(target=queue.beat, args=(ended,), daemon=True)
        beats.start()
        try:
            queue.wait(seconds)
            yield replace(versions, before_write=queue.check)
        finally:
            ended.set()
            beats.join()
            queue.leave()


class _Queue:
    """The tickets of one registered model, and our own among them."""

    def __init__(self, versions: Versions, any_version: str) -> None:
        """Draw a ticket: the next version of the queue. A version must name files; it names those of `any_version`."""
        from mlflow.exceptions import MlflowException

        self.client, self.name = versions.store.client, f"{versions.model}-queue"
        self._seen: dict[str, tuple[str, float]] = {}  # the last beat of each other ticket, and when it was new here
        tags = process_tags()
        who = f"{user_name()}, process {tags[PID]} on {tags[HOST]}"
        with self._readable():
            try:
                self.client.create_registered_model(self.name, description=ABOUT)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            source = f"{versions.uri}/{any_version}"
            self.ticket = int(
                self.client.create_model_version(
                    self.name, source, tags={BEAT: "0", WHO: who}, await_creation_for=0
                ).version
            )

    def beat(self, ended: threading.Event) -> None:
        """Show that this process lives, until `ended`."""
        from mlflow.exceptions import MlflowException

        count = 0
        while not ended.wait(BEAT_SECONDS):
            count += 1
            with suppress(MlflowException):
                self.client.set_model_version_tag(self.name, str(self.ticket), BEAT, str(count))

    def wait(self, seconds: float) -> None:
        """Return when no lower ticket is at work, and remove those: the highest one stays, so that numbers go up."""
        began, said = time.monotonic(), False
        while True:
            with self._readable():
                found = self.client.search_model_versions(f"name = '{self.name}'", max_results=1000)
                ahead = [ticket for ticket in found if int(ticket.version) < self.ticket]
                at_work = [ticket.tags.get(WHO, "another process") for ticket in ahead if self._is_at_work(ticket)]
                if not at_work:
                    for ticket in ahead:
                        self.client.delete_model_version(self.name, str(ticket.version))
                    return
            if time.monotonic() - began > seconds:
                raise self._no_turn(f"{at_work[0]} has had the turn for {seconds:,.0f} s")
            if not said:
                warn(f"waiting for another promotion: {at_work[0]}")
                said = True
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raise RegistryError where another process has taken over: it deletes the tickets of those before it."""
        from mlflow.exceptions import MlflowException

        with self._readable():
            try:
                self.client.get_model_version(self.name, str(self.ticket))
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                raise RegistryError(
                    "another process has taken over while this one stood still; nothing more was changed",
                    code="turn-lost",
                    expected=f"signs of life within {LEASE_SECONDS:g} s",
                    found=f"the ticket {self.ticket} of '{self.name}' was deleted",
                    action="look at `ganops history`, then run the same command again",
                ) from error

    def leave(self) -> None:
        """End our turn; where the registry does not answer, it ends by itself after the lease."""
        from mlflow.exceptions import MlflowException

        with suppress(MlflowException):
            self.client.set_model_version_tag(self.name, str(self.ticket), DONE, "true")

    def _is_at_work(self, ticket: ModelVersion) -> bool:
        if ticket.tags.get(DONE):
            return False
        beat, now = ticket.tags.get(BEAT, ""), time.monotonic()
        if self._seen.get(ticket.version, ("", 0.0))[0] != beat:
            self._seen[ticket.version] = (beat, now)
        return now - self._seen[ticket.version][1] < LEASE_SECONDS

    @contextmanager
    def _readable(self) -> Generator[None]:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            raise self._no_turn(first_line(error)) from error

    def _no_turn(self, reason: str) -> RegistryError:
        return RegistryError(
            "there was no turn to promote",
            code="no-turn",
            expected="no other promotion at work in this registry",
            found=reason,
            action=f"try again later; versions of the model '{self.name}' show who promotes",
        )
