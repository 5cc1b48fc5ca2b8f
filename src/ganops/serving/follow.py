"""The models in service: a thread looks where their aliases point and loads a new version next to the old one."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

import torch

from ganops.api import SCHEME
from ganops.errors import GanopsError, ModelError
from ganops.registry.load import pinned
from ganops.registry.versions import CHALLENGER
from ganops.serving.metrics import ServiceMetrics
from ganops.serving.served import Served, load_served
from ganops.serving.settings import ServiceSettings
from ganops.settings import nearest
from ganops.tracking.location import redact
from ganops.tracking.outbox import first_line

LOGGER = logging.getLogger(__name__)
FIXED = "model"  # the name of a model that no alias names


@dataclass
class Slot:
    """What one alias has in service.

    address: what is followed. served: None before the first load, and where an alias names nothing. problem: why the
    version that the alias names is not in service, or why the registry cannot be asked; empty when all is well.
    failed: the version that could not be loaded, and when it is tried again.
    """

    address: str
    served: Served | None = None
    problem: str = ""
    failed: tuple[str, float] = ("", 0.0)


@dataclass
class Models:
    """The models in service by alias; the first is the one that the service was started for.

    metrics: learn of every version that is taken into service, or is not.
    """

    address: str
    device: torch.device
    settings: ServiceSettings
    metrics: ServiceMetrics
    slots: dict[str, Slot] = field(init=False)

    def __post_init__(self) -> None:
        name, at, alias = self.address.rpartition("@")
        followed = self.address.startswith(SCHEME) and bool(at)
        self.main = alias if followed else FIXED
        self.slots = {self.main: Slot(self.address)}
        if followed and alias != CHALLENGER:
            self.slots[CHALLENGER] = Slot(f"{name}@{CHALLENGER}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow", daemon=True)

    def start(self) -> None:
        """Load what the service was started for, which raises GanopsError where it fails; then follow its alias."""
        torch.set_num_threads(self.settings.compute_threads)  # of this thread: bits follow the number of threads
        self._take(self.slots[self.main], self._target(self.slots[self.main]))
        self._thread.start()

    def close(self) -> None:
        """Stop following; a load that runs is left to the end of the process."""
        self._stop.set()

    def get(self, alias: str | None = None) -> Served:
        """The model of an alias, by default the main one; raises ModelError for one that is not in service."""
        slot = self.slots.get(self.main if alias is None else alias)
        if slot is None or slot.served is None:
            here = [name for name, each in self.slots.items() if each.served is not None]
            raise ModelError(
                f"no model '{str(alias)[:80]}' is in service",
                code="not-in-service",
                expected=", ".join(here),
                found=str(alias)[:80],
                action=nearest(str(alias)[:80], here),
            )
        return slot.served

    def in_service(self) -> dict[str, Served]:
        """All models in service by alias, each version once."""
        found: dict[str, Served] = {}
        for alias, slot in self.slots.items():
            if slot.served is not None and slot.served.name not in {each.name for each in found.values()}:
                found[alias] = slot.served
        return found

    def problems(self) -> dict[str, str]:
        """What is wrong, by alias."""
        return {alias: slot.problem for alias, slot in self.slots.items() if slot.problem}

    def look(self) -> None:
        """Ask the registry once, and load what has changed."""
        for alias, slot in self.slots.items():
            try:
                target = self._target(slot)
                if slot.served is not None and slot.served.uri == target:
                    slot.problem = ""
                elif slot.failed[0] != target or time.monotonic() >= slot.failed[1]:
                    self._replace(alias, slot, target)
            except Exception as error:  # the registry client may raise anything; the models in service stay
                if alias != self.main and isinstance(error, GanopsError) and error.code == "no-such-version":
                    self._remove(slot)
                else:
                    slot.problem = _words(error)

    def _follow(self) -> None:
        torch.set_num_threads(self.settings.compute_threads)
        while True:
            self.look()
            if self._stop.wait(self.settings.poll_seconds):
                return

    def _replace(self, alias: str, slot: Slot, target: str) -> None:
        former = slot.served
        try:
            self._take(slot, target)
        except Exception as error:  # a full disk or memory, too; the former version stays
            self.metrics.failed_loads.inc()
            slot.failed = target, time.monotonic() + self.settings.retry_seconds
            slot.problem = f"{target} was not taken into service: {_words(error)}"
            LOGGER.warning("%s: %s", alias, slot.problem)
            return
        LOGGER.info("%s: %s is in service, after %s", alias, target, former.name if former else "none")

    def _take(self, slot: Slot, target: str) -> None:
        """Load, test, swap. Requests that the former model has begun are answered by it; then it is freed.

        A version that another alias has in service is shared: after a promotion both aliases name the same.
        """
        known = (each.served for each in self.slots.values() if each.served is not None and each.served.uri == target)
        slot.served = next(known, None) or load_served(target, self.device, self.settings.batch)
        slot.problem = ""
        self._note()

    def _remove(self, slot: Slot) -> None:
        slot.problem = ""
        if slot.served is not None:
            slot.served = None
            self._note()

    def _note(self) -> None:
        self.metrics.swaps.inc()
        self.metrics.model.clear()
        for alias, served in self.in_service().items():
            self.metrics.model.labels(alias, served.name).set(1)

    @staticmethod
    def _target(slot: Slot) -> str:
        """The version that the address names now."""
        return pinned(slot.address) if slot.address.startswith(SCHEME) else slot.address


def _words(error: Exception) -> str:
    if isinstance(error, GanopsError):
        return redact(error.in_short)
    return f"{type(error).__name__}: {first_line(error)}"
