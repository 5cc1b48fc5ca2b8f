"""The public Python interface: generate with a trained model, score a folder of images, list the recipes.

Import it from `ganops` itself: `ganops.load(...)`. The commands of `ganops` use the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from PIL import Image
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Schema
from ganops.data.manifest import read_manifest
from ganops.data.rows import Rows, concatenate
from ganops.data.spec import DataSpec
from ganops.devices import find_device
from ganops.errors import DataError, ModelError
from ganops.evaluation.held_out import held_out
from ganops.evaluation.scores import Scores
from ganops.games.game import Game
from ganops.games.given import given_column
from ganops.games.sampling import HeldOut, sample
from ganops.games.saved import DESCRIPTION, SavedModel, load_description, load_game
from ganops.games.task import Task
from ganops.params import EvaluateParams
from ganops.recipe import Recipe, load_recipes
from ganops.settings import nearest, validate
from ganops.workspace import WORKSPACE, how_to_enter

if TYPE_CHECKING:
    from ganops.applying.translator import PictureTranslator
    from ganops.evaluation.evaluator import Evaluation
    from ganops.evaluation.statistics import Statistics

SCHEME = "models:"


@dataclass(frozen=True)
class Generated:
    """What a model generated.

    rows: one column per output, in the stored form of its field (images are uint8). schema: the fields of these
    columns. inputs: what the rows were generated from, in stored form; None for a model without inputs.
    """

    rows: Rows
    schema: Schema
    inputs: Rows | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def pictures(self) -> list[Image.Image]:
        """One picture per row, of the first output that can be seen; an image is returned pixel for pixel."""
        found = (field.pictures(self.rows[name]) for name, field in self.schema.items())
        return next((pictures for pictures in found if pictures), [])

    def grid(self, columns: int | None = None) -> Image.Image | None:
        """All rows in one picture, `columns` in a row; None where no output can be seen."""
        drawn = (field.draw(self.rows[name], columns) for name, field in self.schema.items())
        return next((picture for picture in drawn if picture is not None), None)

    def records(self) -> list[dict[str, Any]]:
        """One mapping per row with each output as JSON holds it: base64 PNG, class name, text, numbers."""
        columns = {name: field.encode(self.rows[name]) for name, field in self.schema.items()}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@dataclass(frozen=True)
class Model:
    """A trained model. `name` is how it was asked for; `folder` is where its files lie."""

    name: str
    folder: Path
    description: SavedModel
    game: Game

    @property
    def task(self) -> Task:
        """What the model is asked for, and what it returns; the first task of a game with several."""
        return self.game.task

    @property
    def spec(self) -> DataSpec:
        """The data that the model was trained on."""
        return self.description.spec

    @property
    def recipe(self) -> Recipe:
        """The recipe that the model was trained with."""
        return self.description.recipe

    def generate(
        self, n: int = 16, seed: int = 0, *, task: str | None = None, batch_size: int = 256, **inputs: Any
    ) -> Generated:
        """Generate `n` rows; the same arguments give the same rows, whatever the batch size.

        inputs: values for inputs of the task by name: one for all rows, or a sequence of `n`. A value is what the
        field's wire form allows (a class name, text, numbers, base64 of an image file), an image, the path of a file,
        or a stored tensor. Labels that are not given follow the shares of the training data; other inputs come from
        the test split of the prepared data.
        Raises DataError for an unknown input, a value that its field cannot decode, and inputs that are missing.
        """
        asked = self._task(task)
        given = {name: given_column(asked, name, value, n) for name, value in inputs.items()}
        batches = list(
            sample(
                self.game,
                n,
                seed,
                task=task,
                held_out=self._held_out(asked, given),
                given=given,
                batch_size=batch_size,
            )
        )
        from_inputs = [batch.inputs for batch in batches if batch.inputs is not None]
        return Generated(
            rows=concatenate([batch.outputs for batch in batches]),
            schema=asked.outputs,
            inputs=concatenate(from_inputs) if from_inputs else None,
        )

    def translator(
        self,
        *,
        task: str | None = None,
        tile: int | None = None,
        overlap: int | None = None,
        seed: int = 0,
        **inputs: Any,
    ) -> PictureTranslator:
        """What translates pictures of any size, in overlapping tiles: `model.translator()(Image.open("photo.jpg"))`.

        inputs: values for inputs of the task besides the picture, as in `generate`. The others: see PictureTranslator.
        Raises ModelError for a model that does not make pictures of pictures.
        """
        from ganops.applying.translator import PictureTranslator

        asked = self._task(task)
        given = {name: given_column(asked, name, value, 1) for name, value in inputs.items()}
        return PictureTranslator(self.game, task, tile=tile, overlap=overlap, given=given, seed=seed)

    def _task(self, name: str | None) -> Task:
        if name is None:
            return self.task
        if name not in self.game.tasks:
            raise ModelError(
                f"the model has no task '{name}'",
                code="unknown-task",
                found=name,
                action=nearest(name, self.game.tasks),
            )
        return self.game.tasks[name]

    def _held_out(self, task: Task, given: Mapping[str, Tensor]) -> HeldOut | None:
        """The prepared test split where the task needs it and it has the columns of the model's own data."""
        needed = [name for name, field in task.inputs.items() if not isinstance(field, CategoryField)]
        if not set(needed) - set(given):
            return None
        try:
            known = read_manifest(WORKSPACE.prepared).spec.fields
        except DataError:
            return None
        same = all(name in known and known[name].kind == field.kind for name, field in self.spec.fields.items())
        return held_out(WORKSPACE.prepared, self.spec, "evaluation") if same else None


def load(model: str | Path, device: str | torch.device = "cpu") -> Model:
    """Load a trained model.

    model: an address in the registry (models:/NAME@champion, models:/NAME/3), a model folder, or the name of a recipe
    that was trained in this checkout. Raises ModelError or RegistryError when there is no such model.
    """
    folder = model_folder(str(model))
    return Model(str(model), folder, load_description(folder), load_game(folder, device))


def model_folder(model: str) -> Path:
    """The folder of a model named as in `load`; a registered one is fetched where it lies elsewhere."""
    if model.startswith(SCHEME):
        from ganops.registry.load import registered_folder
        from ganops.tracking.store import connect

        connect()
        return registered_folder(model)
    found = next((place for place in (Path(model), WORKSPACE.model(model)) if (place / DESCRIPTION).is_file()), None)
    if found is None:
        raise ModelError(
            f"there is no model '{model}'",
            code="no-model",
            expected="models:/NAME@ALIAS, models:/NAME/VERSION, a model folder, or a trained recipe",
            found=f"trained here: {', '.join(_trained()) or 'nothing yet'}",
            action="train one with `dvc repro`, or correct the name"
            if WORKSPACE.params.is_file()
            else how_to_enter(Path.cwd()),
        )
    return found


def evaluate(
    images: str | Path,
    reference: str | Path,
    *,
    features: Literal["inception-v3", "efficientnet-lite0", "custom"] = "efficientnet-lite0",
    metrics: Sequence[str] | Mapping[str, Mapping[str, Any]] = ("fid", "is", "kid", "prdc", "diversity"),
    size: int | None = None,
    seed: int = 0,
    device: str = "auto",
    **settings: Any,
) -> Scores:
    """Score the images of a folder or zip file, from whatever model, against those of a folder of real ones.

    features: FID, IS and KID of publications are those of "inception-v3"; with others the keys carry their name.
    metrics: names of metric groups, or a mapping of names to their settings. size: convert all images to this size
    first; None: they have one size already. settings: other keys of the section `evaluate` of params.yaml.
    Raises EvaluationError for folders without enough images, and for images that differ in size or cannot be read.
    """
    params = evaluate_params(features, metrics, **settings)
    return score_folders(Path(images), Path(reference), params, size=size, seed=seed, device=device)[0].scores


def score_folders(
    images: Path, reference: Path, params: EvaluateParams, *, size: int | None, seed: int, device: str
) -> tuple[Evaluation, Statistics]:
    """As `evaluate`, with everything that was found and the statistics of the real images."""
    from ganops.evaluation.extractors.choose import load_extractor
    from ganops.evaluation.folder import evaluate_folders

    extractor = load_extractor(params, device=find_device(device))
    return evaluate_folders(images, reference, extractor, params, seed, size)


def evaluate_params(
    features: str, metrics: Sequence[str] | Mapping[str, Mapping[str, Any]], **settings: Any
) -> EvaluateParams:
    """The arguments of `evaluate` as the section of params.yaml; raises SettingsError for values it does not allow."""
    from ganops.evaluation.metric_groups import chosen_groups

    chosen = metrics if isinstance(metrics, Mapping) else {name: {} for name in metrics}
    params = validate(EvaluateParams, {"features": features, "metrics": chosen, **settings}, "evaluate")
    chosen_groups(params)  # an unknown name is an error now, not after minutes
    return params


def recipes(folder: Path | None = None) -> dict[str, Recipe]:
    """All recipes by name; folder: by default that of this checkout. Raises SettingsError where there are none."""
    return load_recipes(folder or WORKSPACE.recipes)


def _trained() -> list[str]:
    pattern = (WORKSPACE.model("*") / DESCRIPTION).relative_to(WORKSPACE.root).as_posix()
    return sorted(path.parent.parent.name for path in WORKSPACE.root.glob(pattern))
