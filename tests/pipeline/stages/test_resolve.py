"""The stage says what will be done, refuses what cannot work, and digests the code of each training."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from evaluated_home import make_home

from ganops import trial
from ganops.errors import SettingsError
from ganops.resolved import read_resolved
from ganops.workspace import WORKSPACE
from pipeline.stages import resolve
from pipeline.stages.resolve import bring_up_to_date, main, summary

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prepared digits, the recipe `tiny`, and the code that its training reaches."""
    make_home(tmp_path)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "pipeline" / "stages", tmp_path / "pipeline" / "stages")
    return tmp_path


def stale(home: Path) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        main()
    return raised.value


def test_a_file_that_is_not_up_to_date_is_written_and_the_command_has_to_be_run_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stale(home).code == "stale"
    resolved = read_resolved(WORKSPACE.resolved)
    assert resolved is not None
    recipes = {"tiny": "pipeline/recipes/tiny.yaml"}
    assert (resolved.recipes, resolved.features, resolved.model) == (recipes, "classifier", "ganops-digits-generate")
    assert not WORKSPACE.checked.exists()
    main()
    assert WORKSPACE.checked.exists()
    said = capsys.readouterr().out
    assert "400 pictures with 10 classes: tiny at 8 px, features of the data's own classifier" in said
    assert "about" not in said, "a trial costs time, and these data and recipes are known"


def test_the_code_of_each_training_is_digested(home: Path) -> None:
    stale(home)
    main()
    found = json.loads(WORKSPACE.code("tiny").read_text())
    assert len(found["digest"]) == 64
    reached = set(found["modules"])
    expected = {"ganops.networks.mlp", "ganops.games.unconditional", "ganops.data.fields.image", "ganops.training.step"}
    assert expected <= reached
    assert not {"ganops.networks.stylegan2", "ganops.games.infogan", "ganops.tracking.run"} & reached


def test_what_is_impossible_is_said_in_one_list(home: Path) -> None:
    params = WORKSPACE.params.read_text().replace("[tiny]", "[tiny, tinny]")
    WORKSPACE.params.write_text(params.replace("compare: {metric: fid_classifier}", "compare: {metric: psnr}"))
    error = stale(home)
    assert error.code == "impossible"
    lines = str(error).splitlines()[1:]
    assert ["'tinny'" in line for line in lines] == [True, False]
    assert ["compare.metric" in line for line in lines] == [False, True]
    assert not WORKSPACE.checked.exists()


@pytest.mark.parametrize("name", ["sngan-cifar", "paper/sngan-cifar"])
def test_a_preset_is_trained_by_its_name(home: Path, name: str) -> None:
    file = WORKSPACE.recipes / "paper" / "sngan-cifar.yaml"
    file.parent.mkdir()
    shutil.copy2(ROOT / file, file)
    WORKSPACE.params.write_text(WORKSPACE.params.read_text().replace("[tiny]", f"[{name}]"))
    assert stale(home).code == "stale"
    resolved = read_resolved(WORKSPACE.resolved)
    assert resolved is not None
    assert resolved.recipes == {"sngan-cifar": "pipeline/recipes/paper/sngan-cifar.yaml"}
    main()
    assert "ganops.networks.resnet" in json.loads(WORKSPACE.code("sngan-cifar").read_text())["modules"]


def test_with_automatic_recipes_the_time_is_measured(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "LONG", 0.0)
    monkeypatch.setattr(trial, "SITTING", 0.0)
    for name in ("fastgan", "stylegan2-ada"):
        shutil.copy(ROOT / "pipeline" / "recipes" / f"{name}.yaml", WORKSPACE.recipe(name))
    WORKSPACE.params.write_text(WORKSPACE.params.read_text().replace("[tiny]", "auto"))
    assert stale(home).code == "stale"
    main()
    assert "fastgan and stylegan2-ada at 8 px" in (said := capsys.readouterr().out)
    assert ", about " in said
    assert "make set SET=train.budget_scale=0.01, then" in said


def test_metrics_that_lack_the_same_thing_are_named_together(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale(home)
    found = bring_up_to_date()
    manifest = found.manifest.model_copy(update={"counts": {"train": 100, "test": 2}})
    first, *others = summary(replace(found, manifest=manifest)).splitlines()
    assert first.startswith("102 pictures with 10 classes: tiny")
    assert "  metrics left out: memorisation (needs 20 test images or more; there are 2)" in others
    assert any(line.startswith("  metrics left out: by-class and modes (need a classifier") for line in others), others
