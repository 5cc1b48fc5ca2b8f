"""What is known of a trained and scored model before it is registered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ganops.data.manifest import Manifest, read_manifest
from ganops.errors import RegistryError
from ganops.evaluation.metric_names import metric_key
from ganops.evaluation.scores import Scores, load_scores, read_scores
from ganops.games.game import Game
from ganops.games.saved import SavedModel, digest_of, load_description, load_game
from ganops.games.task import Task
from ganops.registry.naming import data_family
from ganops.registry.versions import protocol_digest
from ganops.reporting.contents import PictureEntry, read_contents
from ganops.workspace import Workspace

SHORT = 16


@dataclass(frozen=True)
class Candidate:
    """A model folder with its scores, the facts of its training, and its data.

    scores: of this very model. mean: the means over several seeds of its recipe, whose names are `seeds`, where it was
    trained with several. training: the content of training.json.
    pictures: what shows the model, the samples first; `folder_of_pictures` holds the files.
    """

    recipe: str
    folder: Path
    scores: Scores
    training: Mapping[str, Any]
    manifest: Manifest
    mean: Scores | None = None
    seeds: tuple[str, ...] = ()
    pictures: tuple[PictureEntry, ...] = ()
    folder_of_pictures: Path = Path()

    @cached_property
    def description(self) -> SavedModel:
        """The content of model.json."""
        return load_description(self.folder)

    @cached_property
    def game(self) -> Game:
        """The game with its weights; loading it checks the files."""
        return load_game(self.folder)

    @property
    def task(self) -> Task:
        """What the model is asked for, and what it answers."""
        return self.game.task

    @property
    def task_name(self) -> str:
        """The name of that task."""
        return next(iter(self.game.tasks))

    @property
    def metric(self) -> str:
        """The key of the game's default metric, in the features that it was measured in."""
        return metric_key(self.game.default_metric, str(self.scores.protocol.shared.get("features", "")))

    @property
    def family(self) -> str:
        """The data set in words; only models of the same one compare."""
        return data_family(self.manifest)

    @cached_property
    def content(self) -> str:
        """sha256 of the model folder."""
        return digest_of(self.folder)

    def lineage(self) -> str:
        """sha256 of what the model is: its weights and description, its data, and the protocol of its scores.

        The same lineage is the same model with the same scores, whichever run or machine made it.
        """
        identity = [self.content, self.manifest.digest, protocol_digest(self.scores)]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def read_candidate(workspace: Workspace, recipe: str, winner: Mapping[str, Any]) -> Candidate:
    """Gather a candidate from its folders in results/ and from winner.json.

    Raises RegistryError, EvaluationError or DataError when a part is missing or damaged.
    """
    evaluated = workspace.evaluated(recipe)
    mean = winner.get("mean")
    return Candidate(
        recipe=recipe,
        folder=workspace.model(recipe),
        scores=read_scores(evaluated / "scores.json", f"dvc repro evaluate@{recipe}"),
        training=_read(workspace.trained(recipe) / "training.json", f"dvc repro train@{recipe}"),
        manifest=read_manifest(workspace.prepared),
        mean=load_scores(mean, f"`mean` in {workspace.winner}") if mean else None,
        seeds=tuple(str(name) for name in winner.get("seeds") or ()),
        pictures=read_contents(evaluated).pictures,
        folder_of_pictures=evaluated,
    )


def _read(path: Path, command: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise ValueError(f"a JSON {type(value).__name__}, not an object")
    except (OSError, ValueError) as error:
        raise RegistryError(
            f"{path} cannot be read", code="damaged-file", found=str(error), action=f"run: {command}"
        ) from error
    return value
