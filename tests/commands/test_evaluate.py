"""`ganops evaluate` and `ganops.evaluate` score any folder against any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from example_results import digits

import ganops
from ganops.cli import ganops as cli
from ganops.data.fields.pictures import save_png, to_pil
from ganops.errors import EvaluationError, SettingsError
from ganops.evaluation.scores import load_scores


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Forty digits each."""
    root = tmp_path_factory.mktemp("folders")
    for index, image in enumerate(digits()[:80]):
        save_png(to_pil(image), root / ("made" if index < 40 else "real") / f"{index}.png")
    return root / "made", root / "real"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["evaluate", *map(str, arguments)])


def test_command_and_function_give_the_same_scores_and_statistics_stand_for_a_folder(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    made, real = folders
    files = ("--json", tmp_path / "scores.json", "--save-statistics", tmp_path / "real.npz")
    done = run(made, "-r", real, "--metrics", "fid,prdc", *files)
    assert done.exit_code == 0, done.output
    assert "FID (efficientnet-lite0) ↓" in done.output
    written = load_scores(json.loads((tmp_path / "scores.json").read_text()), "scores.json")
    found = ganops.evaluate(made, real, metrics=["fid", "prdc"])
    assert all(found.comparable(written, key) for key in found)
    assert dict(found) == dict(written)
    assert found["fid_efficientnet-lite0"].value > 0
    done = run(made, "-r", tmp_path / "real.npz")
    assert done.exit_code == 0, done.output
    assert "Frechet distance" in done.output


def test_mistakes_are_named_at_once(folders: tuple[Path, Path], tmp_path: Path) -> None:
    made, real = folders
    unknown = run(made, "-r", real, "--metrics", "fdi").exception
    assert isinstance(unknown, SettingsError)
    assert unknown.found == "fdi"
    missing = run(tmp_path / "nowhere", "-r", real).exception
    assert isinstance(missing, EvaluationError)
    with pytest.raises(SettingsError):
        ganops.evaluate(made, real, samples="many")
