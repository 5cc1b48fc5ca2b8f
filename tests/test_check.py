"""What cannot work is said at once, in one list, with the key and the value to take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from evaluated_home import PARAMS, RECIPE, SPEC

from ganops import check
from ganops.check import divisions, doubtful, impossible, left_out, one_list, outlines
from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest
from ganops.data.spec import DataSpec
from ganops.errors import GanopsError
from ganops.params import Params
from ganops.recipe import Recipe, load_recipe
from ganops.settings import Yaml
from ganops.training.job import TrainingJob

ROOT = Path(__file__).resolve().parents[1]


def params_of(**changes: Any) -> Params:
    """The settings of the tests' checkout; `section__key` sets a key of a section."""
    import yaml

    values = yaml.load(PARAMS, Loader=Yaml)
    for name, value in changes.items():
        section, _, key = name.partition("__")
        values.setdefault(section, {})[key] = value
    return Params.model_validate(values)


def manifest_of(spec: DataSpec = SPEC, train: int = 300, test: int = 100) -> Manifest:
    return Manifest(source="images", digest="d" * 64, spec=spec, counts={"train": train, "test": test})


def jobs_of(params: Params, manifest: Manifest, **recipes: Recipe) -> dict[str, TrainingJob]:
    return {
        name.replace("_", "-"): TrainingJob(name, recipe, params.train, 7, manifest.spec, manifest.digest)
        for name, recipe in recipes.items()
    }


def shipped(name: str, **changes: Any) -> Recipe:
    return load_recipe(ROOT / "pipeline" / "recipes" / f"{name}.yaml").model_copy(update=changes)


def codes(params: Params, manifest: Manifest, **recipes: Recipe) -> list[str]:
    jobs = jobs_of(params, manifest, **(recipes or {"tiny": RECIPE}))
    return [error.code for error in impossible(params, manifest, jobs)]


def images(size: int, classes: int = 0) -> DataSpec:
    fields: dict[str, Any] = {"image": ImageField(channels=3, size=size)}
    if classes:
        fields["label"] = CategoryField(classes=tuple(f"c{number}" for number in range(classes)))
    return DataSpec(fields=fields)


def test_what_works_is_not_complained_about() -> None:
    assert codes(params_of(), manifest_of()) == []


def test_all_that_is_impossible_is_in_one_list() -> None:
    params = params_of(gate__limits={"fid": {"max": 9}, "psnr": {"min": 20}}, compare__metric="fdi", train__processes=3)
    manifest = manifest_of(images(50), train=100)
    jobs = jobs_of(params, manifest, cgan=shipped("cgan"), dcgan=shipped("dcgan", images=5000))
    errors = impossible(params, manifest, jobs)
    said = one_list(errors)
    assert said.code == "impossible"
    lines = str(said).splitlines()
    assert len(lines) == 1 + len(errors)
    for words in ("cgan", "dcgan", "compare.metric", "gate.limits.fid:", "gate.limits.psnr", "evaluate.features"):
        assert sum(words in line for line in lines) >= 1, words


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"compare__metric": "fid"}, "unmeasured"),  # that of Inception-v3: features are the classifier's
        ({"compare__metric": "fid_inception-v3"}, "unknown-metric"),
        ({"compare__metric": "psnr"}, "unmeasured"),
        ({"gate__metric": "kid_efficientnet-lite0"}, "unmeasured"),
        ({"gate__limits": {"nonsense": {"max": 1}}}, "unknown-metric"),
        ({"gate__limits": {"label_accuracy": {"min": 0.5}}}, "unmeasured"),  # the recipe takes no label
        ({"evaluate__metrics": {"fdi": {}}}, "unknown-metric-group"),
        ({"evaluate__weights": "nowhere.pth"}, "missing-file"),
    ],
)
def test_metrics_that_decide_have_to_be_measured(changes: dict[str, Any], code: str) -> None:
    assert code in codes(params_of(**changes), manifest_of())


def test_a_disabled_gate_has_no_limits() -> None:
    params = params_of(gate__limits={"psnr": {"min": 20}}, gate__mode="disabled")
    assert codes(params, manifest_of()) == []


def test_a_classifier_needs_classes() -> None:
    assert "no-classifier" in codes(params_of(), manifest_of(images(8)))


@pytest.mark.parametrize("size", [50, 100, 218, 250, 300])
def test_a_size_that_a_recipe_cannot_take_is_known_before_training(size: int) -> None:
    found = codes(params_of(), manifest_of(images(size, classes=2)), dcgan=shipped("dcgan"))
    assert found, f"{size} pixels"


def test_networks_that_do_not_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fully connected pair for images of 1024 pixels has billions of weights."""
    monkeypatch.setattr(check, "memory", lambda **_: 16 << 30)
    manifest = manifest_of(images(1024, classes=2))
    (error,) = (each for each in problems(manifest, mlp=shipped("mlp")) if each.code == "too-large")
    assert "mlp" in error.message
    assert "GiB" in error.found


def problems(manifest: Manifest, **recipes: Recipe) -> list[GanopsError]:
    params = params_of()
    return impossible(params, manifest, jobs_of(params, manifest, **recipes))


def test_small_networks_for_large_images_are_remarked_upon() -> None:
    params, manifest = params_of(), manifest_of(images(256, classes=2))
    jobs = jobs_of(params, manifest, sngan=shipped("sngan"))
    (note,) = doubtful(outlines(jobs), manifest)
    assert "sngan" in note
    assert not list(doubtful(outlines(jobs_of(params, manifest_of(), tiny=RECIPE)), manifest_of()))


@pytest.mark.parametrize(("size", "notes"), [(256, 0), (512, 2)])
def test_fully_connected_networks_of_large_images_are_remarked_upon(size: int, notes: int) -> None:
    """In colour 101 M weights each at 256 pixels, 404 M at 512, 1,612 M at 1024."""
    params, manifest = params_of(), manifest_of(images(size, classes=2))
    found = list(doubtful(outlines(jobs_of(params, manifest, mlp=shipped("mlp"))), manifest))
    assert len(found) == notes, found


def test_what_the_data_are_too_few_for_is_left_out_with_a_reason() -> None:
    params, manifest = params_of(), manifest_of(train=30, test=4)
    jobs = jobs_of(params, manifest, tiny=RECIPE)
    reasons = left_out(divisions(params, manifest, jobs, outlines(jobs)))
    assert "memorisation" in reasons
    assert all(reasons.values())
    assert "label-accuracy" not in reasons, "it belongs to other recipes: nobody misses it"
