"""The register stage: the winner becomes a version, the same one however often it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_model import save_small_model, small_manifest

from ganops.errors import RegistryError
from ganops.tracking.run import RunFile
from ganops.tracking.store import connect
from pipeline.stages import register, results

PARAMS = """\
seed: 7
recipes: [tiny]
data: {source: digits, image_size: 8, channels: 1, test_share: 0.25, max_rejected: 0}
tracking: {model: painter}
"""


@pytest.fixture
def home(tracking_home: Path) -> Path:
    """What the stages before have left: the recipe `tiny` trained, scored and winner."""
    results.PARAMS.write_text(PARAMS)
    results.PREPARED.mkdir(parents=True)
    small_manifest().write(results.PREPARED)
    save_small_model(results.train_folder("tiny") / "model")
    RunFile(run_id="0" * 32, recipe="tiny").write(results.run_file("tiny"))
    for path, content in (
        (results.train_folder("tiny") / "training.json", {"sick": False, "health_events": []}),
        (results.evaluate_folder("tiny") / "metrics.json", {"fid": 12.5}),
        (results.evaluate_folder("tiny") / "protocol.json", {"digest": "d" * 64}),
        (results.WINNER, {"recipe": "tiny"}),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return tracking_home


def test_the_winner_is_registered_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register.main()
    first = json.loads(results.REGISTRATION.read_text())
    assert {**first, "lineage": ""} == {
        "model": "painter",
        "version": "1",
        "alias": "challenger",
        "lineage": "",
        "recipe": "tiny",
    }
    assert "painter version 1 (tiny) is new, alias challenger" in capsys.readouterr().out
    results.REGISTRATION.unlink()
    register.main()
    assert json.loads(results.REGISTRATION.read_text()) == first
    assert "is registered already" in capsys.readouterr().out
    assert len(connect().client.search_model_versions("name = 'painter'")) == 1


def test_several_seeds_stand_before_the_gate_with_their_mean_and_spread(home: Path) -> None:
    scores = {"fid": 14.0, "fid_error": 1.5}
    results.WINNER.write_text(json.dumps({"recipe": "tiny", "seeds": ["tiny", "tiny-8"], "scores": scores}))
    register.main()
    (version,) = connect().client.search_model_versions("name = 'painter'")
    assert (version.tags["score.fid"], version.tags["score.fid_error"]) == ("14", "1.5")
    assert "means of 2 seeds: FID" in version.description
    results.WINNER.write_text(json.dumps({"recipe": "tiny", "seeds": []}))
    register.main()
    assert json.loads(results.REGISTRATION.read_text())["version"] == "2", "alone it is another candidate"


@pytest.mark.parametrize("content", ["{}", "[1]", "", None])
def test_a_winner_that_is_missing_or_damaged_is_a_clear_error(home: Path, content: str | None) -> None:
    if content is None:
        results.WINNER.unlink()
    else:
        results.WINNER.write_text(content)
    with pytest.raises(RegistryError, match="does not name a winner"):
        register.main()
