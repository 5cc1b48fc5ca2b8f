"""What `auto` stands for: rules on the data alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import load_yaml
from evaluated_home import PARAMS

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.manifest import Manifest
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.params import AUTO_RECIPES, Params, read_params
from ganops.resolve import choose_recipes, resolve
from ganops.resolved import Resolved, load_params, read_resolved, write_resolved
from ganops.trial import in_words, together

ROOT = Path(__file__).resolve().parents[1]
RESOLVED = Resolved(
    recipes={"fastgan": "pipeline/recipes/fastgan.yaml"},
    image_size=64,
    channels=3,
    features="efficientnet-lite0",
    compare_metric="fid_efficientnet-lite0",
    gate_metric="kid_efficientnet-lite0",
    model="ganops-cats",
)
TINY = {"tiny": "pipeline/recipes/tiny.yaml"}


def params_of(text: str = PARAMS) -> Params:
    return Params.model_validate(yaml.safe_load(text))


AUTO_PARAMS = params_of(
    "{seed: 7, recipes: auto, data: {source: images, path: cats}, evaluate: {features: auto}, "
    "compare: {metric: auto}, gate: {metric: auto}, tracking: {model: auto}}"
)


def images(classes: int = 0) -> DataSpec:
    fields: dict[str, Any] = {"image": ImageField(channels=3, size=64)}
    if classes:
        fields["label"] = CategoryField(classes=tuple(f"c{number}" for number in range(classes)))
    return DataSpec(fields=fields)


@pytest.mark.parametrize(
    ("classes", "count", "expected"),
    [
        (0, 8, ("fastgan", "stylegan2-ada")),
        (0, 100_000, ("fastgan", "stylegan2-ada")),
        (3, 139, ("fastgan", "stylegan2-ada")),
        (1, 50_000, ("fastgan", "stylegan2-ada")),
        (2, 5_000, ("dcgan", "cgan")),
        (10, 50_000, ("dcgan", "cgan")),
        (1000, 50_000, ("fastgan", "stylegan2-ada")),
        (1000, 100_000, ("dcgan", "projection-cgan")),
    ],
)
def test_recipes_follow_from_classes_and_count(classes: int, count: int, expected: tuple[str, ...]) -> None:
    chosen = choose_recipes(AUTO_PARAMS, images(classes), count)
    assert chosen == expected
    for recipe in chosen:
        assert (ROOT / "pipeline" / "recipes" / f"{recipe}.yaml").is_file()


def test_points_have_a_recipe_of_their_own() -> None:
    assert choose_recipes(AUTO_PARAMS, DataSpec(fields={"vector": VectorField(size=2)}), 10_000) == ("points",)


def test_recipes_that_are_named_are_taken() -> None:
    assert choose_recipes(params_of(), images(), 10) == ("tiny",)


def test_everything_auto_follows_from_the_data() -> None:
    manifest = Manifest(
        source="images", origin="cats.zip", digest="d" * 64, spec=images(), counts={"train": 1200, "test": 300}
    )
    found = resolve(AUTO_PARAMS, manifest, RESOLVED.recipes, {})
    assert (found.image_size, found.channels, found.features) == (64, 3, "efficientnet-lite0")
    assert (found.compare_metric, found.gate_metric) == ("fid_efficientnet-lite0", "fid_efficientnet-lite0")
    assert found.model.startswith("ganops-cats")


def test_what_is_named_stays() -> None:
    manifest = Manifest(source="digits", digest="d" * 64, spec=images(2), counts={"train": 1200, "test": 300})
    params = params_of(PARAMS + "tracking: {model: mine}\n")
    found = resolve(params, manifest, TINY, {})
    assert (found.recipes, found.features, found.gate_metric, found.model) == (
        TINY,
        "classifier",
        "fid_classifier",
        "mine",
    )


@pytest.mark.parametrize("name", ["mine", "2024", "null", "08"])
def test_the_file_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    written = RESOLVED.model_copy(update={"model": name, "recipes": {name: f"pipeline/recipes/{name}.yaml"}})
    write_resolved(written, tmp_path / "resolved.yaml")
    assert read_resolved(tmp_path / "resolved.yaml") == written
    assert load_yaml(tmp_path / "resolved.yaml")["resolved"] == written.model_dump()  # as DVC reads it


@pytest.mark.parametrize("content", ["", "resolved: 3", "resolved: {recipes: []}", "a: [1", "\x00"])
def test_a_damaged_file_counts_as_missing(tmp_path: Path, content: str) -> None:
    (tmp_path / "resolved.yaml").write_text(content)
    assert read_resolved(tmp_path / "resolved.yaml") is None
    assert read_resolved(tmp_path / "nowhere.yaml") is None


def test_load_params_replaces_every_auto_and_nothing_else(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(
        "{seed: 7, recipes: auto, data: {source: images, path: cats}, evaluate: {features: auto}, "
        "compare: {metric: is_efficientnet-lite0}, gate: {metric: auto}, tracking: {model: auto}}"
    )
    assert load_params(params).recipes == AUTO_RECIPES
    write_resolved(RESOLVED, tmp_path / "pipeline" / "resolved.yaml")
    found = load_params(params)
    assert (found.recipes, found.evaluate.features, found.tracking.model) == (
        ("fastgan",),
        "efficientnet-lite0",
        "ganops-cats",
    )
    assert (found.compare.metric, found.gate.metric) == ("is_efficientnet-lite0", "kid_efficientnet-lite0")
    assert found.data.image_size == "auto", "prepare decides it, and the manifest says what it was"
    assert read_params(params).recipes == AUTO_RECIPES


def test_minutes_of_several_trainings_at_a_time() -> None:
    assert together([4.0, 3.0, 2.0], 1) == 9.0
    assert together([4.0, 3.0, 2.0], 2) == 5.0
    assert together([4.0], 8) == 4.0


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0.2, "1 minute"),
        (1.4, "1 minute"),
        (1.6, "2 minutes"),
        (89.0, "89 minutes"),
        (91.0, "2 hours"),
        (1188, "20 hours"),
    ],
)
def test_minutes_in_words(minutes: float, words: str) -> None:
    assert in_words(minutes) == f"about {words}"


def paired() -> DataSpec:
    image = ImageField(channels=1, size=16)
    return DataSpec(fields={"image": image, "source": image, "label": CategoryField(classes=("a", "b"))})


def test_pairs_get_the_recipes_whose_game_takes_their_source(tmp_path: Path) -> None:
    """Those that make their source from the image itself would leave the pairs' own unused."""
    for name in ("denoise", "denoise-l1", "dcgan"):
        text = (ROOT / "pipeline" / "recipes" / f"{name}.yaml").read_text()
        (tmp_path / f"{name}.yaml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        choose_recipes(AUTO_PARAMS, paired(), 1000, tmp_path)
    assert raised.value.code == "no-recipe"
    for name, own in (("denoise", "translate"), ("denoise-l1", "translate-l1")):
        values = yaml.safe_load((tmp_path / f"{name}.yaml").read_text())
        del values["derived"]
        (tmp_path / f"{own}.yaml").write_text(yaml.safe_dump(values))
    assert choose_recipes(AUTO_PARAMS, paired(), 1000, tmp_path) == ("translate", "translate-l1")


def test_domains_get_the_recipes_that_translate_between_them(tmp_path: Path) -> None:
    image = ImageField(channels=1, size=16)
    domains = DataSpec(fields={"A": image, "B": image}, paired=False)
    for name in ("dcgan", "denoise"):
        (tmp_path / f"{name}.yaml").write_text((ROOT / "pipeline" / "recipes" / f"{name}.yaml").read_text())
    with pytest.raises(SettingsError) as raised:
        choose_recipes(AUTO_PARAMS, domains, 1000, tmp_path)
    assert raised.value.code == "no-recipe"
    assert choose_recipes(AUTO_PARAMS, domains, 1000, ROOT / "pipeline" / "recipes") == ("cut", "cyclegan")
