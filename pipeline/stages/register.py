"""Stage register: the winner becomes a version of the registered model, alias challenger."""

from __future__ import annotations

import json
from typing import Any

from ganops.errors import RegistryError
from ganops.registry.candidate import read_candidate
from ganops.registry.register import register
from ganops.resolved import load_params
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage


def main() -> None:
    """Register the winner once; where the registry has this very model already, only name it challenger."""
    winner = _winner()
    recipe = str(winner["recipe"])
    candidate = read_candidate(WORKSPACE, recipe, winner)
    registration, new = register(candidate, load_params(WORKSPACE.params), WORKSPACE)
    registration.write(WORKSPACE.registration)
    print(
        f"{registration.model} version {registration.version} ({recipe}) is "
        f"{'new' if new else 'registered already'}, alias {registration.alias}"
    )


def _winner() -> dict[str, Any]:
    try:
        winner = dict(json.loads(WORKSPACE.winner.read_text(encoding="utf-8")))
        winner["recipe"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegistryError(
            f"{WORKSPACE.winner} does not name a winner",
            code="damaged-winner",
            found=str(error),
            action="run: dvc repro compare",
        ) from error
    return winner


if __name__ == "__main__":
    run_stage(main)
