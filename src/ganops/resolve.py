"""The rules behind `auto` in params.yaml: what it stands for is decided from the prepared data alone.

recipes: `points` for vectors. For images `dcgan` and a recipe by class (`cgan`; `projection-cgan` for many classes)
where there are classes and enough images for them; else `fastgan` and `stylegan2-ada`, which are made for few images.
evaluate.features: ganops.evaluation.auto. compare.metric: what the first recipe's game asks for, in those features.
gate.metric: that of compare. tracking.model: named after the data and the task. data.*: decided by `prepare`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest
from ganops.data.spec import DataSpec
from ganops.evaluation.auto import auto_features
from ganops.evaluation.metric_names import metric_key
from ganops.games.game import Game
from ganops.params import AUTO, AUTO_RECIPES, Params, Resolved
from ganops.registry.naming import model_name

ENOUGH_IMAGES = 5_000  # for a plain GAN; recipes for few images do better below
ENOUGH_PER_CLASS = 100
MANY_CLASSES = 20  # from here on a plane per class is more than an image


def choose_recipes(params: Params, spec: DataSpec, count: int) -> tuple[str, ...]:
    """The recipes of params.yaml, or those that suit the data. count: images of the train split."""
    if params.recipes != AUTO_RECIPES:
        return params.recipes
    if spec.first(ImageField) is None:
        return ("points",)
    classes = len(spec.classes)
    if classes >= 2 and count >= max(ENOUGH_IMAGES, classes * ENOUGH_PER_CLASS):
        return ("dcgan", "cgan" if classes <= MANY_CLASSES else "projection-cgan")
    return ("fastgan", "stylegan2-ada")


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
