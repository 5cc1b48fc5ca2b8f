"""dvc.yaml names all that decides a result, and params.yaml all that can be set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from ganops.code_digest import code_of, file_of, modules_of_kinds
from ganops.params import Params, read_params
from ganops.recipe import load_recipe
from ganops.resolved import load_params, read_resolved
from ganops.settings import read_yaml
from pipeline.flows.graph import Stage, read_stages
from pipeline.stages.resolve import TRAINING

ROOT = Path(__file__).resolve().parents[2]
STAGES: dict[str, Any] = {
    name: stage.get("do", stage) for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items()
}

# Imported for the names of their types, for messages, or for speed alone.
HARMLESS = {"ganops.data.spec", "ganops.data.mixture", "ganops.recipe", "ganops.code_digest", "ganops.malloc"}
TYPES = {"reference": ("ganops.games", "ganops.data"), "compare": ("ganops.games", "ganops.data")}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def training_code(recipe: str) -> set[str]:
    """The modules that results/code/<recipe>.json digests, as far as the recipe alone decides them."""
    kinds = modules_of_kinds(load_recipe(ROOT / f"pipeline/recipes/{recipe}.yaml").model_dump(mode="json"))
    return set(code_of([*TRAINING, *kinds]))


# register: a version is what its lineage says, whichever code writes it down. train: depends on the digest of its code.
@pytest.mark.parametrize("stage", ["prepare", "resolve", "reference", "evaluate", "compare"])
def test_a_stage_depends_on_the_code_it_runs(stage: str) -> None:
    deps = STAGES[stage]["deps"]
    named = [ROOT / path for path in deps]
    digested = training_code("mlp") if any(str(path).startswith("results/code/") for path in deps) else set()
    missing = []
    for module in code_of([f"pipeline.stages.{stage}"]):
        file = file_of(module)
        assert file is not None
        path = file.resolve()
        harmless = module in HARMLESS or module.startswith(TYPES.get(stage, ("-",)))
        if not (harmless or module in digested or any(path == each or each in path.parents for each in named)):
            missing.append(module)
    assert not missing, f"a change of these would not run {stage} again"


@pytest.mark.parametrize("stage", ["reference", "evaluate"])
def test_a_stage_that_measures_depends_on_what_it_finds_by_name(stage: str) -> None:
    """Feature networks are looked up by their kind, which no import shows; fields convert what they look at."""
    assert {"src/ganops/networks/image_features", "src/ganops/data/fields"} <= set(STAGES[stage]["deps"])


def test_stages_come_after_those_they_need() -> None:
    stages = read_stages()
    recipes = load_params(ROOT / "params.yaml").recipes
    names = [stage.name for stage in stages]
    each = {f"{stage}@{recipe}" for stage in ("train", "evaluate") for recipe in recipes}
    assert set(names) == {"inventory", "prepare", "resolve", "reference", "compare", "register"} | each
    for stage in stages:
        assert all(names.index(need) < names.index(stage.name) for need in stage.needs)
    assert names.index("resolve") < names.index("reference"), "what is impossible is said before anything is computed"
    last = stages[-1]
    assert last.name == "register"
    assert "compare" in last.needs
    assert Stage("train@wgan-gp", ()).recipe == "wgan-gp"
    assert Stage("prepare", ()).recipe is None


def test_resolved_yaml_says_what_params_yaml_says_by_name() -> None:
    resolved = read_resolved(ROOT / "pipeline" / "resolved.yaml")
    assert resolved is not None
    assert resolved == resolved.following(read_params(ROOT / "params.yaml"), Path("pipeline/recipes"))


def keys_of(settings: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys_of(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def value_at(values: dict[str, Any], key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values


@pytest.mark.parametrize("key", list(keys_of(Params)))
def test_params_yaml_names_every_setting(key: str) -> None:
    """A default that stands in the code alone would change results without DVC noticing."""
    value_at(read_yaml(ROOT / "params.yaml"), key)


@pytest.mark.parametrize(
    "path", [ROOT / "params.yaml", *sorted((ROOT / "pipeline" / "recipes").glob("*.yaml"))], ids=lambda path: path.stem
)
def test_every_setting_says_what_it_does(path: Path) -> None:
    """A line that only opens a section speaks through the lines below it."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    assert not [line for line in lines if line and "#" not in line and not line.endswith(":")]


def test_the_shipped_recipes_are_there() -> None:
    for name in load_params(ROOT / "params.yaml").recipes:
        load_recipe(ROOT / "pipeline" / "recipes" / f"{name}.yaml")


def params_named_by(stage: str) -> Iterator[str]:
    for entry in STAGES[stage].get("params", []):
        if isinstance(entry, str):
            yield entry


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_settings_that_exist(stage: str) -> None:
    """DVC takes a misspelt key for one that is not set."""
    for key in params_named_by(stage):
        value_at(read_yaml(ROOT / "params.yaml"), key)


def test_training_depends_on_every_setting_of_training_but_how_often_it_is_saved() -> None:
    named = set(params_named_by("train"))
    section = {f"train.{key}" for key in read_yaml(ROOT / "params.yaml")["train"]}
    assert section - named == {"train.checkpoint_seconds"}
