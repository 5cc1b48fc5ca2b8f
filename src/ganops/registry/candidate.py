"""What is known of a trained and scored model before it is registered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganops.data.manifest import Manifest
from ganops.errors import RegistryError
from ganops.games.saved import SavedModel, digest_of, load_description

SHORT = 16


@dataclass(frozen=True)
class Candidate:
    """A model folder with its scores, their protocol, the facts of its training and its data.

    training: what training.json says. pictures: PNG files that show it, the sample grid first.
    seeds: names of the trainings whose mean the scores are, where several seeds of one recipe were trained.
    """

    recipe: str
    folder: Path
    scores: Mapping[str, float]
    protocol: Mapping[str, Any]
    training: Mapping[str, Any]
    manifest: Manifest
    pictures: tuple[Path, ...] = ()
    seeds: tuple[str, ...] = ()

    def description(self) -> SavedModel:
        """What model.json says."""
        return load_description(self.folder)

    def lineage(self) -> str:
        """sha256 of what the model is: its weights and description, its data, and the protocol of its scores.

        The same lineage is the same model with the same scores, whichever run or machine made it.
        """
        identity = [digest_of(self.folder), self.manifest.digest, self.protocol.get("digest"), *self.seeds]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def read_candidate(recipe: str, trained: Path, evaluated: Path, manifest: Manifest) -> Candidate:
    """Gather a candidate from its folders in results/; raises RegistryError when a part is missing or damaged."""
    pictures = [evaluated / name for name in ("samples.png", "curves.png", "neighbours.png")]
    return Candidate(
        recipe=recipe,
        folder=trained / "model",
        scores=_read(evaluated / "metrics.json"),
        protocol=_read(evaluated / "protocol.json"),
        training=_read(trained / "training.json"),
        manifest=manifest,
        pictures=tuple(picture for picture in pictures if picture.is_file()),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RegistryError(f"{path} cannot be read", found=str(error), action="run `dvc repro` again") from error
    if not isinstance(value, dict):
        raise RegistryError(f"{path} is damaged", expected="a JSON object", action="run `dvc repro` again")
    return value
