"""Registry commands that are killed at any of their changes, starved of disk, moved, and robbed of their files."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any
from unittest import mock

from small_model import register_small, small_params

from ganops.errors import GanopsError
from ganops.registry import promotion
from ganops.registry.history import history
from ganops.registry.load import problem_with, registered_folder
from ganops.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, QUARANTINED, Versions
from ganops.tracking.store import connect

Command = tuple[str, ...]  # ("register", fid), ("promote",) or ("rollback",)
SCRIPTS: tuple[tuple[Command, ...], ...] = (
    (("register", "10"), ("promote",), ("register", "8"), ("promote",), ("rollback",)),
    (("register", "10"), ("promote",), ("register", "8"), ("promote",), ("register", "12"), ("promote",)),
    (("register", "9"), ("promote",), ("register", "7"), ("promote",), ("register", "5"), ("promote",), ("rollback",)),
)
FAULTS = ("kill at a change", "kill at any time", "full disk", "moved", "none")
CHANGES = ("set_", "delete_", "update_", "create_", "log_")
MOST_CHANGES = 25
REFUSED = 3


def enter(home: Path) -> None:
    """Work in the checkout `home`; MLflow leaves the address of an earlier one in the environment."""
    os.chdir(home)
    os.environ.pop("MLFLOW_TRACKING_URI", None)


def die_at(change: int) -> None:
    """Kill this process just before its n-th change of the store."""
    import mlflow

    left = [change]

    def deadly(method: Callable[..., Any]) -> Callable[..., Any]:
        def count_down(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*arguments, **named)

        return count_down

    for name in dir(mlflow.MlflowClient):
        if name.startswith(CHANGES):
            setattr(mlflow.MlflowClient, name, deadly(getattr(mlflow.MlflowClient, name)))


def carry_out(home: Path, command: Command, die: int | None, full: bool) -> None:
    """One command in the checkout `home`, as a process; exit code REFUSED after an error that is meant to be read."""
    enter(home)
    # The real smoke test starts a process that takes seconds.
    mock.patch.object(promotion, "smoke_test", lambda uri, *_: problem_with(uri)).start()
    if die is not None:
        die_at(die)
    if full:
        size = (home / "mlflow.db").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        if command[0] == "register":
            register_small(home, int(command[1]), fid=float(command[1]))
        elif command[0] == "promote":
            promotion.promote(small_params())
        else:
            promotion.rollback(small_params())
    except GanopsError:
        sys.exit(REFUSED)


def look(home: Path) -> dict[str, Any]:
    """What the registry says, with each version named by its score."""
    enter(home)
    versions = Versions(connect(), "ganops")
    known = versions.store.client.search_model_versions("name = 'ganops'")
    named = {str(each.version): each.tags.get("score.fid", "?") for each in known}
    aliases = {alias: named.get(versions.at(alias) or "") for alias in (CHAMPION, PREVIOUS, CHALLENGER)}
    return aliases | {
        "history": [(named.get(period.version), period.ended) for period in history(versions)],
        "versions": sorted(named.values()),
        "quarantined": sorted(named[str(each.version)] for each in known if each.tags.get(QUARANTINED)),
        "broken": {named[version]: why for version in named if (why := problem_with(f"{versions.uri}/{version}"))},
    }


class RegistryTrials:
    """Scripts of commands, each disturbed and repeated until it succeeds, against the same ones undisturbed."""

    def __init__(self, home: Path, database: Path, chance: random.Random, context: ForkServerContext) -> None:
        self.home, self.database, self.chance, self.context = home, database, chance, context
        self.expected: dict[int, dict[str, Any]] = {}

    def run(self, number: int) -> Counter[str]:
        """Disturb one script; raises AssertionError where the registry ends in another state."""
        script = self.chance.randrange(len(SCRIPTS))
        if script not in self.expected:
            calm = self._checkout(f"calm-{script}")
            for command in SCRIPTS[script]:
                assert self._try(calm, command) == 0, command
            self.expected[script] = self._look(calm)
        faults: Counter[str] = Counter()
        home = self._checkout(f"disturbed-{number}")
        for command in SCRIPTS[script]:
            home = self._disturb(home, command, faults)
        found = self._look(home)
        assert found == self.expected[script], f"after {dict(faults)}: {found}, not {self.expected[script]}"
        self._rob(home, faults)
        os.chdir(self.home)
        shutil.rmtree(home)
        return faults

    def _disturb(self, home: Path, command: Command, faults: Counter[str]) -> Path:
        """Start the command until it succeeds, with a fault at each of some starts."""
        for left in range(self.chance.randint(0, 3), -1, -1):
            fault = self.chance.choice(FAULTS[:-1]) if left else "none"
            if fault == "kill at any time" and command[0] == "rollback":
                fault = "kill at a change"  # a second rollback after one that has ended goes back further
            faults[f"{command[0]}: {fault}"] += 1
            if fault == "moved":
                home = home.rename(home.with_name(f"{home.name}-moved"))
                continue
            die = self.chance.randrange(MOST_CHANGES) if fault == "kill at a change" else None
            code = self._try(home, command, die, fault)
            if code == 0:
                return home
            assert code in (REFUSED, -signal.SIGKILL), f"{command} ended with a traceback after {dict(faults)}"
            assert fault != "none", f"{command} failed undisturbed after {dict(faults)}"
        raise AssertionError("unreachable: the last start has no fault")

    def _rob(self, home: Path, faults: Counter[str]) -> None:
        """Alter the champion's weights: it is found, registered again, and replaced."""
        enter(home)
        versions = Versions(connect(), "ganops")
        champion = versions.at(CHAMPION)
        assert champion is not None
        fid = versions.get(champion).tags["score.fid"]
        weights = registered_folder(f"{versions.uri}/{champion}") / "generator.safetensors"
        content = bytearray(weights.read_bytes())
        damage = self.chance.choice(("flip a bit", "cut", "remove"))
        faults[f"champion: {damage}"] += 1
        place = self.chance.randrange(len(content))
        content[place] ^= 1 << self.chance.randrange(8)
        weights.unlink()
        if damage != "remove":
            weights.write_bytes(content if damage == "flip a bit" else content[:place])
        assert fid in self._look(home)["broken"], f"{damage} at {place} was not seen"
        for command in (("register", str(int(float(fid)))), ("promote",)):
            assert self._try(home, command) == 0, command
        found = self._look(home)
        assert found[CHAMPION] == fid, found
        enter(home)
        assert not problem_with("models:/ganops@champion")

    def _try(self, home: Path, command: Command, die: int | None = None, fault: str = "none") -> int:
        child = self.context.Process(target=carry_out, args=(home, command, die, fault == "full disk"))
        child.start()
        child.join(self.chance.uniform(0.2, 6.0) if fault == "kill at any time" else 600)
        if child.is_alive():
            child.kill()
            child.join()
        assert child.exitcode is not None
        return child.exitcode

    def _look(self, home: Path) -> dict[str, Any]:
        try:
            return look(home)
        finally:
            os.chdir(self.home)

    def _checkout(self, name: str) -> Path:
        home = self.home / name
        (home / ".dvc").mkdir(parents=True)
        shutil.copy(self.database, home / "mlflow.db")
        return home
