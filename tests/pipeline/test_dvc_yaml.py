"""dvc.yaml names all that decides a result, and params.yaml all that can be set."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from ganops.params import Params, load_params
from ganops.recipe import load_recipe
from ganops.settings import read_yaml
from pipeline.flows.graph import Stage, read_stages

ROOT = Path(__file__).resolve().parents[2]
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

# Carries results about and decides none: reading settings, writing files, showing progress, telling MLflow.
MACHINERY = (
    *("ganops/atomic.py", "ganops/errors.py", "ganops/kinds.py", "ganops/params.py", "ganops/progress.py"),
    *("ganops/settings.py", "ganops/tracking", "ganops/data/manifest.py", "ganops/data/mixture.py"),
    "ganops/data/spec.py",
    *("pipeline/environment.py", "pipeline/stages/entry.py", "pipeline/stages/results.py"),
)
# Imported for the names of their types alone.
TYPES = {"reference": {"ganops/games/game.py"}, "compare": {"ganops/games/game.py", "ganops/data/packed.py"}}


def file_of(module: str) -> Path | None:
    """The source file of a module of this project."""
    parts = Path(*module.split("."))
    candidates = (base / parts.with_suffix(".py") for base in (ROOT / "src", ROOT))
    return next((path for path in candidates if path.is_file()), None)


def imports_of(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from filter(None, map(file_of, names))


def code_of(stage: str) -> set[Path]:
    """Every file of this project that a stage can come to run; what tracking needs is tracking's own."""
    found: set[Path] = set()
    waiting = [ROOT / "pipeline" / "stages" / f"{stage}.py"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            if "tracking" not in path.parts:
                waiting += imports_of(path)
    return found


# A version is what its lineage says, whichever code writes it down, so register depends on its own room alone.
@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"register"}))
def test_a_stage_depends_on_the_code_it_runs(stage: str) -> None:
    named = [ROOT / path for path in STAGES[stage]["deps"]]
    harmless = [base / path for path in (*MACHINERY, *TYPES.get(stage, ())) for base in (ROOT, ROOT / "src")]
    missing = [
        str(path.relative_to(ROOT))
        for path in code_of(stage)
        if not any(path == other or other in path.parents for other in (*named, *harmless))
    ]
    assert not missing, f"a change of these would not run {stage} again"


def test_stages_come_after_those_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    stages = read_stages()
    recipes = load_params(ROOT / "params.yaml").recipes
    names = [stage.name for stage in stages]
    matrix = {f"{stage}@{recipe}" for stage in ("train", "evaluate") for recipe in recipes}
    assert set(names) == {"prepare", "reference", "compare", "register"} | matrix
    for stage in stages:
        assert all(names.index(need) < names.index(stage.name) for need in stage.needs)
    last = stages[-1]
    assert last.name == "register"
    assert "compare" in last.needs
    assert Stage("train@wgan-gp", ()).recipe == "wgan-gp"
    assert Stage("prepare", ()).recipe is None


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
        if isinstance(entry, str) and not entry.startswith("pipeline/recipes/"):
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
