"""Two domains without pairs go through all stages: each direction is scored against its own target domain."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_training import shrunk

from ganops.data.manifest import read_manifest
from ganops.data.prepare import prepare
from ganops.evaluation.evaluate import evaluate_game
from ganops.evaluation.scores import load_scores, read_scores
from ganops.games.saved import load_description, load_game
from ganops.params import DataParams
from ganops.reporting.contents import read_contents
from ganops.resolved import load_params
from ganops.workspace import WORKSPACE
from pipeline.stages.evaluate import main as evaluate
from pipeline.stages.reference import main as make_reference
from pipeline.stages.train import main as train

pytestmark = pytest.mark.slow

PARAMS = """\
seed: 7
recipes: [cyclegan]
data: {source: domains, image_size: 8, channels: 1}
evaluate:
  features: classifier
  samples: 60
  metrics: {fid: {}, label-accuracy: {}}
  classifier: {epochs: 3, width: 4}
train: {device: cpu, sample_images: 4, sample_times: 1, validation_samples: 20}
"""


@pytest.fixture
def home(tracking_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with handwritten and printed digits as domains A and B."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    WORKSPACE.params.write_text(PARAMS)
    WORKSPACE.recipes.mkdir(parents=True)
    WORKSPACE.recipe("cyclegan").write_text(shrunk("cyclegan", kimg=0.064).model_dump_json())
    shutil.copy(tracking_database, tmp_path / "mlflow.db")
    prepare(DataParams(source="domains", image_size=8, channels=1), WORKSPACE.prepared)
    return tmp_path


@pytest.mark.usefixtures("home")
def test_each_direction_is_scored_against_the_domain_of_its_outputs() -> None:
    make_reference()
    digests = {domain: read_manifest(WORKSPACE.prepared / domain).digest for domain in "AB"}
    for domain, digest in digests.items():
        made = json.loads((WORKSPACE.reference / domain / "reference.json").read_text())
        assert made["real_data"] == digest
    train("cyclegan")
    evaluate("cyclegan")
    out = WORKSPACE.evaluated("cyclegan")
    scores = read_scores(out / "scores.json", "evaluate")
    bases = {"fid_classifier", "label_accuracy"}
    assert set(scores) == bases | {f"BtoA/{key}" for key in bases}
    assert scores.protocol.shared["data"] == digests["B"]
    assert scores.protocol.groups["BtoA/fid"]["data"] == digests["A"]
    identity = load_scores(json.loads((out / "baselines" / "identity.json").read_text()), "identity")
    assert set(identity) == set(scores)
    assert all(scores.comparable(identity, key) for key in scores)
    real = json.loads((WORKSPACE.reference / "rows" / "real-test.json").read_text())
    assert {"fid_classifier", "BtoA/fid_classifier"} <= set(load_scores(real, "real"))
    shown = [entry.file for entry in read_contents(out).pictures]
    assert shown[0] == "samples.png"
    assert {"BtoA-samples.png", "translations-AtoB.png", "translations-BtoA.png"} <= set(shown)
    assert all((out / name).is_file() for name in shown)
    folder = WORKSPACE.model("cyclegan")
    params = load_params(WORKSPACE.params)
    again = evaluate_game(
        *(load_game(folder), WORKSPACE.reference, WORKSPACE.prepared, params.evaluate, params.seed),
        spec=load_description(folder).spec,
    )
    assert {key: each.value for key, each in again.scores.items()} == {key: each.value for key, each in scores.items()}


@pytest.mark.usefixtures("home")
def test_a_game_of_one_direction_is_scored_against_the_domain_that_it_makes() -> None:
    """CUT from B to A: its only task has a name that is no key's prefix."""
    recipe = shrunk("cut", kimg=0.064)
    networks = {
        "generator": recipe.networks["generator"] | {"source": "B", "target": "A"},
        "discriminator": recipe.networks["discriminator"] | {"target": "A"},
    }
    changed = recipe.model_copy(update={"game": recipe.game | {"direction": "BtoA"}, "networks": networks})
    WORKSPACE.recipe("cut").write_text(changed.model_dump_json())
    make_reference()
    train("cut")
    evaluate("cut")
    scores = read_scores(WORKSPACE.evaluated("cut") / "scores.json", "evaluate")
    assert set(scores) == {"fid_classifier", "label_accuracy"}
    assert scores.protocol.shared["data"] == read_manifest(WORKSPACE.prepared / "A").digest
    shown = [entry.file for entry in read_contents(WORKSPACE.evaluated("cut")).pictures]
    assert "translations-BtoA.png" in shown
