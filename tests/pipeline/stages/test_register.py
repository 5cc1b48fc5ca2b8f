"""The register stage: the winner becomes a version, the same one however often it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_model import save_small_model, small_manifest, small_scores

from ganops.data.manifest import manifest_path
from ganops.errors import RegistryError
from ganops.tracking.run import RunFile
from ganops.tracking.store import connect
from ganops.workspace import WORKSPACE
from pipeline.stages import register

PARAMS = """\
seed: 7
recipes: [tiny]
data: {source: digits, image_size: 8, channels: 1, test_share: 0.25, max_rejected: 0}
tracking: {model: painter}
"""


@pytest.fixture
def home(tracking_home: Path) -> Path:
    """What the stages before have left: the recipe `tiny` trained, scored and winner."""
    WORKSPACE.params.write_text(PARAMS)
    WORKSPACE.prepared.mkdir(parents=True)
    small_manifest().write(manifest_path(WORKSPACE.prepared))
    save_small_model(WORKSPACE.model("tiny"))
    RunFile(run_id="0" * 32, recipe="tiny").write(WORKSPACE.run_file("tiny"))
    small_scores(fid=12.5).write(WORKSPACE.evaluated("tiny") / "scores.json")
    (WORKSPACE.trained("tiny") / "training.json").write_text('{"unhealthy": false, "health_events": []}')
    win()
    return tracking_home


def win(**more: object) -> None:
    WORKSPACE.winner.parent.mkdir(parents=True, exist_ok=True)
    WORKSPACE.winner.write_text(json.dumps({"recipe": "tiny", "seeds": [], "mean": None, **more}))


def test_the_winner_is_registered_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register.main()
    first = json.loads(WORKSPACE.registration.read_text())
    assert {**first, "lineage": ""} == {
        "model": "painter",
        "version": "1",
        "alias": "challenger",
        "lineage": "",
        "recipe": "tiny",
    }
    assert "painter version 1 (tiny) is new, alias challenger" in capsys.readouterr().out
    WORKSPACE.registration.unlink()
    register.main()
    assert json.loads(WORKSPACE.registration.read_text()) == first
    assert "is registered already" in capsys.readouterr().out
    assert len(connect().client.search_model_versions("name = 'painter'")) == 1


def test_the_mean_over_seeds_is_kept_next_to_the_models_own_scores(home: Path) -> None:
    mean = small_scores(fid=14.0, errors={"fid": 1.5}).dump()
    win(seeds=["tiny", "tiny-8"], mean=mean)
    register.main()
    (version,) = connect().client.search_model_versions("name = 'painter'")
    assert version.tags["score.fid"] == "12.5"
    assert (version.tags["seeds"], json.loads(version.tags["mean"])) == ("tiny, tiny-8", mean)


@pytest.mark.parametrize("content", ["{}", "[1]", "", None])
def test_a_missing_or_damaged_winner_is_a_clear_error(home: Path, content: str | None) -> None:
    if content is None:
        WORKSPACE.winner.unlink()
    else:
        WORKSPACE.winner.write_text(content)
    with pytest.raises(RegistryError) as error:
        register.main()
    assert error.value.code == "damaged-winner"
