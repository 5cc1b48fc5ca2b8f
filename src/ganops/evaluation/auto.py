"""What `evaluate.features: auto` stands for: decided from the data alone, by the rules written here."""

from __future__ import annotations

from ganops.data.fields.category import CategoryField
from ganops.data.fields.vector import VectorField
from ganops.data.spec import LABEL, DataSpec
from ganops.evaluation.metric import Counts
from ganops.params import EvaluateParams, FeaturesName

FEWEST_FOR_FEATURES = 1000  # training images below which features of a classifier say little that ImageNet's do not
FEWEST_TO_CLASSIFY, FEWEST_PER_CLASS = 200, 20  # below, a classifier errs too often to count classes with it


def auto_features(spec: DataSpec, counts: Counts) -> FeaturesName:
    """Features of the data's own classifier where it can be trained well, else of a network trained on ImageNet.

    counts: rows of each split, as the manifest has them. Of unpaired data every domain must allow its own.
    """
    if not spec.paired:
        each = {auto_features(domain, counts) for domain in spec.domains.values()}
        return each.pop() if len(each) == 1 else "efficientnet-lite0"
    enough = counts.get("train", 0) >= FEWEST_FOR_FEATURES or isinstance(spec.fields[spec.target], VectorField)
    return "classifier" if enough and classifier_possible(spec, counts) else "efficientnet-lite0"


def resolve_features(params: EvaluateParams, spec: DataSpec, counts: Counts) -> EvaluateParams:
    """The same params with `features: auto` replaced."""
    if params.features != "auto":
        return params
    return params.model_copy(update={"features": auto_features(spec, counts)})


def classifier_possible(spec: DataSpec, counts: Counts) -> bool:
    """Whether the data's classes can be told apart by a classifier trained on them.

    A known mixture is its own classifier. Images need two classes, 200 training images, and 20 of the rarest class;
    combinations of what the channels show (stacked MNIST) are learnt channel by channel.
    """
    target, label = spec.fields[spec.target], spec.fields.get(LABEL)
    if isinstance(target, VectorField):
        return target.mixture is not None
    if not isinstance(label, CategoryField) or len(label.classes) < 2:
        return False
    count = counts.get("train", 0)
    classes = len(label.channel_classes) or len(label.classes)
    rarest = count * min(label.shares) if label.shares and not label.channel_classes else count / classes
    return count >= FEWEST_TO_CLASSIFY and round(rarest) >= FEWEST_PER_CLASS
