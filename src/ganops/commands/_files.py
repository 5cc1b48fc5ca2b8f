"""The files that say what the pipeline does and has done: whether each can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ganops.errors import GanopsError
from ganops.params import read_params
from ganops.recipe import load_recipe
from ganops.settings import read_yaml, refuse_conflict, refuse_damaged
from ganops.workspace import Workspace

LOCK = "dvc.lock"
OTHERS = ("dvc.yaml", "prefect.yaml")


def unreadable(root: Path) -> Iterator[GanopsError]:
    """Yield an error for each file of a checkout that cannot be read; those that a run makes may be absent."""
    place = Workspace(root)
    checks: dict[Path, Callable[[Path], Any]] = {place.params: read_params}
    checks |= {root / name: read_yaml for name in OTHERS if (root / name).exists()}
    checks |= {path: partial(refuse_damaged, key="stages") for path in (root / LOCK,) if path.exists()}
    checks |= {path: partial(refuse_damaged, key="resolved") for path in (place.resolved,) if path.exists()}
    checks |= dict.fromkeys(sorted(place.recipes.rglob("*.yaml")), load_recipe)
    checks |= dict.fromkeys(sorted(place.searches.glob("*.yaml")), read_yaml)
    for path, check in checks.items():
        try:
            refuse_conflict(path)
            check(path)
        except GanopsError as error:
            yield error
    try:
        refuse_conflict(root / ".dvc" / "config")
    except GanopsError as error:
        yield error
