"""The rules behind `auto` in params.yaml: what it stands for is decided from the prepared data alone.

recipes: `points` for vectors. For images `dcgan` and a recipe by class (`cgan`; `projection-cgan` for many classes)
where there are classes and enough images for them; else `fastgan` and `stylegan2-ada`, which are made for few images.
For pairs and for domains without pairs every recipe whose game takes the stored fields, by what its tasks declare.
evaluate.features: ganops.evaluation.auto. compare.metric: what the first recipe's game asks for, in those features.
gate.metric: that of compare. tracking.model: named after the data and the task. data.*: decided by `prepare`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import PictureField
from ganops.data.manifest import Manifest
from ganops.data.spec import SOURCE, DataSpec
from ganops.errors import GanopsError, SettingsError
from ganops.evaluation.auto import auto_features
from ganops.evaluation.metric_names import metric_key
from ganops.games.build import outline_game, recipe_spec
from ganops.games.game import Game
from ganops.params import AUTO, AUTO_RECIPES, Params
from ganops.recipe import Recipe, load_recipes
from ganops.registry.naming import model_name
from ganops.resolved import Resolved
from ganops.workspace import WORKSPACE

ENOUGH_IMAGES = 5_000  # for a plain GAN; recipes for few images do better below
ENOUGH_PER_CLASS = 100
# Of the recipes that fit pairs or domains, those that `auto` stands for; the others are for special cases.
TRANSLATIONS = {"cyclegan", "cut", "pix2pix", "pix2pix-l1", "spade"}
MANY_CLASSES = 20  # from here on a plane per class is more than an image


def choose_recipes(params: Params, spec: DataSpec, count: int, folder: Path = WORKSPACE.recipes) -> tuple[str, ...]:
    """The recipes of params.yaml, or those that suit the data. count: images of the train split. folder: of recipes.

    Raises SettingsError (code "no-recipe") for pairs or domains that no recipe in `folder` takes.
    """
    if params.recipes != AUTO_RECIPES:
        return params.recipes
    if SOURCE in spec.fields or not spec.paired:
        return _translating(spec, folder)
    if spec.first(ImageField) is None:
        return ("points",)
    classes = len(spec.classes)
    if classes >= 2 and count >= max(ENOUGH_IMAGES, classes * ENOUGH_PER_CLASS):
        return ("dcgan", "cgan" if classes <= MANY_CLASSES else "projection-cgan")
    return ("fastgan", "stylegan2-ada")


def _translating(spec: DataSpec, folder: Path) -> tuple[str, ...]:
    """The recipes that translate between stored fields: from source to target, or from domain to domain."""
    found = tuple(name for name, recipe in load_recipes(folder).items() if any(_takes_stored(recipe, spec)))
    if not found:
        data = f"pairs of {SOURCE} and {spec.target}" if spec.paired else f"the domains {', '.join(spec.domains)}"
        raise SettingsError(
            f"recipes: auto: no recipe in {folder} translates {data}",
            code="no-recipe",
            expected="a recipe whose game takes the data's own fields, without derived ones",
            found=f"the fields {', '.join(spec.fields)}",
            action="add one (denoise and denoise-l1 without `derived` translate pairs), or give recipes by name",
        )
    return tuple(name for name in found if name in TRANSLATIONS) or found


def _takes_stored(recipe: Recipe, spec: DataSpec) -> Iterator[bool]:
    """For each task of a recipe: whether data give its inputs, and true outputs where they are paired."""
    try:
        game = outline_game(recipe, recipe_spec(recipe, spec))
    except GanopsError:
        return  # for other data
    for task in game.tasks.values():
        inputs = set(task.inputs)
        images = any(isinstance(field, PictureField) for field in task.inputs.values())
        yield images and inputs <= set(spec.fields) - set(recipe.derived) and task.paired == spec.paired


def resolve(params: Params, manifest: Manifest, recipes: Mapping[str, str], games: Mapping[str, Game]) -> Resolved:
    """What every `auto` stands for. recipes: those chosen, with their files; games: those that could be built."""
    image = manifest.spec.first(ImageField)
    features = params.evaluate.features
    if features == AUTO:
        features = auto_features(manifest.spec, manifest.counts)
    game = next((games[recipe] for recipe in recipes if recipe in games), None)
    metric = params.compare.metric
    if metric == AUTO:
        metric = metric_key(game.default_metric if game else "fid", features)
    model = params.tracking.model
    if model == AUTO:
        model = model_name(manifest, next(iter(game.tasks)) if game else "generate")
    return Resolved(
        recipes=dict(recipes),
        image_size=image.size if image else None,
        channels=image.channels if image else None,
        features=features,
        compare_metric=metric,
        gate_metric=metric if params.gate.metric == AUTO else params.gate.metric,
        model=model,
    )
