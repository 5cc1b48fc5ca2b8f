"""What `features: auto` stands for, and which groups cannot be had, from the data alone."""

from __future__ import annotations

import pytest
from playing import spec_of

from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.mixture import Mixture
from ganops.data.spec import DataSpec
from ganops.evaluation.auto import auto_features, classifier_possible, resolve_features
from ganops.evaluation.metric import Counts
from ganops.evaluation.metric_groups import chosen_groups
from ganops.evaluation.unmeasurable import divide
from ganops.games.task import Task
from ganops.params import EvaluateParams

AB = ("a", "b")
RING = DataSpec(fields={"vector": VectorField(size=2, mixture=Mixture(centres=((0.0, 0.0), (1.0, 0.0)), sigma=0.1))})


@pytest.mark.parametrize(
    ("spec", "train", "features", "classifier"),
    [
        (spec_of(1, 16), 50_000, "efficientnet-lite0", False),
        (spec_of(1, 16, ("only",)), 50_000, "efficientnet-lite0", False),
        (spec_of(1, 16, AB), 1000, "classifier", True),
        (spec_of(1, 16, AB), 999, "efficientnet-lite0", True),
        (spec_of(1, 16, AB), 199, "efficientnet-lite0", False),
        (spec_of(1, 16, AB, (0.99, 0.01)), 1000, "efficientnet-lite0", False),  # 10 images of the rarer class
        (spec_of(1, 16, AB, (0.98, 0.02)), 1000, "classifier", True),
        (spec_of(3, 16, tuple(map(str, range(1000)))), 8000, "efficientnet-lite0", False),
        (RING, 100, "classifier", True),
    ],
)
def test_features_and_classifier_follow_from_the_data(
    spec: DataSpec, train: int, features: str, classifier: bool
) -> None:
    counts = {"train": train, "test": 10}
    assert auto_features(spec, counts) == features
    assert classifier_possible(spec, counts) == classifier
    assert resolve_features(EvaluateParams(), spec, counts).features == features
    own = EvaluateParams(features="inception-v3")
    assert resolve_features(own, spec, counts) is own


# Groups that compare an output with its source or its truth.
OF_IMAGES = {"pairs", "cycle", "perceptual", "segmentation", "own-truth", "consistency"}


def unmeasurable(task: Task, spec: DataSpec, counts: Counts) -> dict[str, str]:
    found = divide(chosen_groups(EvaluateParams()), task, spec, counts, classifier_possible(spec, counts))
    return found.other_tasks | found.too_little


def test_what_cannot_be_measured_is_known_before_training() -> None:
    spec = spec_of(3, 16)
    task = Task({"image": ImageField(channels=3, size=16)})
    reasons = unmeasurable(task, spec, {"train": 100, "test": 19})
    assert set(reasons) == {"memorisation", "modes", "by-class", "label-accuracy", "mixture", *OF_IMAGES}
    assert "there are 19" in reasons["memorisation"]
    labelled = unmeasurable(task, spec_of(3, 16, AB), {"train": 100, "test": 20})
    assert set(labelled) == {"modes", "by-class", "label-accuracy", "mixture", *OF_IMAGES}
    assert "too few images" in labelled["modes"]
    enough = unmeasurable(task, spec_of(3, 16, AB), {"train": 200, "test": 20})
    assert set(enough) == {"label-accuracy", "mixture", *OF_IMAGES}
    paired = Task(task.outputs, {"source": task.outputs["image"]}, paired=True)
    assert "pairs" not in unmeasurable(paired, spec, {"train": 100, "test": 20})
