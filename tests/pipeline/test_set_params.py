"""Settings are changed on the command line, with their comments, or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ganops.errors import SettingsError
from ganops.recipe import load_recipe
from ganops.resolved import load_params, read_resolved
from ganops.settings import parse_yaml
from pipeline.set_params import edit, main

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPE = "pipeline/recipes/dcgan.yaml"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped settings."""
    shutil.copytree((ROOT / RECIPE).parent, (tmp_path / RECIPE).parent)
    for name in ("params.yaml", "pipeline/resolved.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_several_files_are_changed_at_once_and_keep_their_comments(home: Path) -> None:
    main("train.budget_scale=0.5", "recipes=[dcgan]", f"{RECIPE}:batch_size=32")
    params, recipe = load_params(home / "params.yaml"), load_recipe(home / RECIPE)
    assert (params.train.budget_scale, params.recipes, recipe.batch_size) == (0.5, ("dcgan",), 32)
    assert "# of weights, noise and data order" in (home / "params.yaml").read_text()
    assert "# images per turn, at least 2" in (home / RECIPE).read_text()


def test_no_other_line_is_touched(home: Path) -> None:
    files = {home / "params.yaml": "seed=8", home / RECIPE: f"{RECIPE}:batch_size=32"}
    before = {path: path.read_text().splitlines() for path in files}
    main(*files.values())
    for path, lines in before.items():
        assert sum(old != new for old, new in zip(lines, path.read_text().splitlines(), strict=True)) == 1


def test_a_list_is_written_in_its_line(home: Path) -> None:
    before = (home / "params.yaml").read_text().splitlines()
    main("recipes=[dcgan, cgan]")
    after = (home / "params.yaml").read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [line.split(" #")[0].strip() for line in changed] == ["recipes: [dcgan, cgan]"]


@pytest.mark.parametrize("value", ["init={model: models:/ganops/1}", "derived=[{kind: grey, path: models:/x}, 'a:b']"])
def test_dvc_can_read_what_was_written(home: Path, value: str) -> None:
    key, _, text = value.partition("=")
    path = home / "values.yaml"
    path.write_text("seed: 7\n")
    with edit(path) as values:
        values[key] = parse_yaml(text)
    assert YAML(typ="safe").load(path.read_text()) == {"seed": 7, key: parse_yaml(text)}


def test_a_kind_is_answered_with_file_key_and_the_nearest_one() -> None:
    with pytest.raises(SettingsError) as raised:
        main(f"{RECIPE}:game.kind=uncoditional")
    assert raised.value.message == f"{RECIPE}: game: unknown game 'uncoditional'"
    assert raised.value.action.startswith("did you mean 'unconditional'?")


def test_a_key_that_a_recipe_has_not_is_added_by_a_plus_sign(home: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        main(f"{RECIPE}:micro_batches=2")
    assert raised.value.code == "unknown-key"
    main(f"{RECIPE}:+micro_batches=2")
    assert load_recipe(home / RECIPE).micro_batches == 2


def test_dvc_sees_other_recipes_at_once(home: Path) -> None:
    main("recipes=[dcgan]")
    resolved = read_resolved(home / "pipeline" / "resolved.yaml")
    assert resolved is not None
    assert resolved.recipes == {"dcgan": RECIPE}


def test_an_unknown_recipe_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(SettingsError) as raised:
        main("recipes=[dcgn]")
    assert (raised.value.code, raised.value.found) == ("unknown-recipe", "dcgn")
    assert "'dcgan'" in raised.value.action


@pytest.mark.parametrize(
    "value", ["my images", "a=b", "Bilder/ü", "a # b", "[a", "a: b: c", "*x", "'7'", "true.d", "2026-11-30"]
)
def test_text_is_kept_as_it_is(home: Path, value: str) -> None:
    main(f"data.path={value}")
    assert str(load_params(home / "params.yaml").data.path) == value.strip("'")


@pytest.mark.parametrize(
    ("assignment", "code"),
    [
        ("evaluate.features=mixture", "bad-value"),
        ("train.budget=2", "unknown-key"),
        ("recipes=[dcgn]", "unknown-recipe"),
        ("train.budget_scale=1e300", "bad-value"),
        ("train.+budget=2", "bad-assignment"),
        ("+train.budget=2", "unknown-key"),
        ("seed.train=2", "unknown-key"),
        ("train.processes=true", "bad-value"),
        ("train.processes='2'", "bad-value"),
        ("train.processes=2.0", "bad-value"),
        ("train.budget_scale=.nan", "bad-value"),
        ("seed", "bad-assignment"),
        ("=3", "bad-assignment"),
        ("", "bad-assignment"),
        ("data.path=a\nseed: 3", "bad-assignment"),
        ("data.path=\udcff", "bad-assignment"),
        ("tracking.experiment=${oc.env:HOME}", "bad-assignment"),
        (f"{RECIPE}:batch_size=1", "bad-value"),
        (f"{RECIPE}:size=3", "unknown-key"),
        (f"{RECIPE}:game.kind=uncoditional", "unknown-kind"),
        (f"{RECIPE}:networks.generator.width=wide", "bad-value"),
        (f"{RECIPE}:+networks.generator.widht=8", "unknown-key"),
        (f"{RECIPE}:+derived={{low: {{kind: smaller}}}}", "unknown-kind"),
        ("data.source=digit", "unknown-kind"),
        ("pipeline/recipes/nowhere.yaml:key=1", "missing-file"),
        ("nowhere.yaml:key=1", "no-settings-file"),
        ("../x.yaml:a=1", "no-settings-file"),
        ("pipeline/recipes/../../../x.yaml:a=1", "no-settings-file"),
        ("/tmp/x.yaml:a=1", "no-settings-file"),
        ("pipeline/recipes/linked.yaml:batch_size=4", "no-settings-file"),
        ("dvc.yaml:vars=1", "no-settings-file"),
    ],
)
def test_what_cannot_be_changes_nothing(home: Path, assignment: str, code: str) -> None:
    outside = home.parent / f"{home.name}-outside.yaml"
    shutil.copy(home / RECIPE, outside)
    (home / "pipeline/recipes/linked.yaml").symlink_to(outside)
    files = [*home.rglob("*.yaml"), outside]
    before = {path: path.read_bytes() for path in files}
    with pytest.raises(SettingsError) as raised:
        main("seed=8", f"{RECIPE}:budget_kimg=80", assignment)
    assert raised.value.code == code
    assert {path: path.read_bytes() for path in files} == before
    assert not list(home.rglob("*.tmp*"))


def test_make_hands_quoted_words_over_as_they_are(home: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "SET": "seed=8 data.path='my $x = ü'"}
    command = ["make", "-f", str(ROOT / "Makefile"), "-o", "env", f"BIN={Path(sys.executable).parent}", "set"]
    subprocess.run(command, env=environment, cwd=home, check=True, capture_output=True)
    params = load_params(home / "params.yaml")
    assert (params.seed, str(params.data.path)) == (8, "my $x = ü")
