"""Stage register: the winner becomes a version of the registered model, alias challenger."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ganops.atomic import write_text
from ganops.data.manifest import read_manifest
from ganops.errors import RegistryError
from ganops.params import load_params
from ganops.registry.candidate import read_candidate
from ganops.registry.register import register
from pipeline.stages.entry import run_stage
from pipeline.stages.results import (
    PARAMS,
    PREPARED,
    REGISTRATION,
    WINNER,
    evaluate_folder,
    run_file,
    train_folder,
)


def main() -> None:
    """Register the winner once; where the registry has this very model already, only name it challenger."""
    winner = _winner()
    recipe = str(winner["recipe"])
    candidate = read_candidate(recipe, train_folder(recipe), evaluate_folder(recipe), read_manifest(PREPARED))
    if winner.get("seeds"):  # what counts before the gate is what the recipe does on average
        candidate = replace(candidate, scores=winner["scores"], seeds=tuple(winner["seeds"]))
    registration, new = register(candidate, load_params(PARAMS), run_file(recipe))
    write_text(REGISTRATION, registration.model_dump_json(indent=2) + "\n")
    print(
        f"{registration.model} version {registration.version} ({recipe}) is "
        f"{'new' if new else 'registered already'}, alias {registration.alias}"
    )


def _winner() -> dict[str, Any]:
    try:
        winner = dict(json.loads(WINNER.read_text(encoding="utf-8")))
        winner["recipe"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegistryError(
            f"{WINNER} does not name a winner", found=str(error), action="run `dvc repro compare`"
        ) from error
    return winner


if __name__ == "__main__":
    run_stage(main)
