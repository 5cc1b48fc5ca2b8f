"""The winner becomes a version: with card and lineage, once, in whichever registry there is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from forks import Fork
from small_model import register_small, small_candidate, small_manifest, small_params, small_scores
from tracked_processes import register_at_once

from ganops.data.manifest import manifest_path
from ganops.errors import EvaluationError, GanopsError
from ganops.registry.candidate import read_candidate
from ganops.registry.load import problem_with, registered_folder
from ganops.registry.naming import data_family, model_name
from ganops.registry.register import register
from ganops.registry.versions import CHALLENGER, Versions
from ganops.tracking.run import RunFile
from ganops.tracking.store import connect
from ganops.workspace import Workspace

pytestmark = pytest.mark.usefixtures("short_source")


def versions() -> Versions:
    return Versions(connect(), "ganops")


def count() -> int:
    return len(connect().client.search_model_versions("name = 'ganops'"))


def test_a_version_carries_lineage_scores_description_and_the_alias(tracking_home: Path) -> None:
    version = register_small(tracking_home, fid=12.5)
    assert versions().at(CHALLENGER) == version == "1"
    kept = versions().get(version)
    run_id = json.loads((tracking_home / "workspace-0/results/runs/tiny.json").read_text())["run_id"]
    assert kept.run_id == kept.tags["run"] == run_id
    expected = {
        "recipe": "tiny",
        "data.digest": "ab" * 32,
        "data.family": data_family(small_manifest()),
        "task": "generate",
        "metric": "fid",
        "score.fid": "12.5",
        "score.fid_error": "0.1",
        "init.model": "other",
        "init.digest": "e" * 64,
        "unhealthy": "false",
    }
    assert {key: kept.tags[key] for key in expected} == expected
    assert "grey images of 8 x 8 pixels" in kept.description
    assert "FID 12.50 ± 0.10" in kept.description
    record = versions().record(version)
    assert record.own == small_scores(fid=12.5, errors={"fid": 0.1})
    assert (record.metric, record.data, record.task) == ("fid", data_family(small_manifest()), "generate")
    assert not record.unhealthy
    assert connect().client.get_run(run_id).data.tags["model.version"] == "ganops/1"
    card = tracking_home / "mlruns" / "ganops" / run_id / "artifacts" / "card" / "README.md"
    assert card.read_text().startswith("# tiny, trained on digits")


def test_the_same_lineage_is_registered_once(tracking_home: Path) -> None:
    assert register_small(tracking_home, seed=0) == "1"
    assert register_small(tracking_home, seed=1) == "2"
    assert register_small(tracking_home, seed=0) == "1"
    assert versions().at(CHALLENGER) == "1", "the newest winner is the challenger, though its version is old"
    assert count() == 2


@pytest.mark.parametrize("damage", ["missing", "torn", "one bit"])
def test_a_version_with_damaged_files_is_registered_again(tracking_home: Path, damage: str) -> None:
    register_small(tracking_home)
    weights = registered_folder("models:/ganops/1") / "generator.safetensors"
    content = bytearray(weights.read_bytes())
    if damage == "missing":
        weights.unlink()
    else:
        content[-1] ^= 1
        weights.write_bytes(content[:-8] if damage == "torn" else content)
    assert problem_with("models:/ganops/1")
    with pytest.raises(GanopsError) as error:
        registered_folder("models:/ganops/1")
    assert error.value.code == "files-altered"
    assert register_small(tracking_home) == "2"
    assert versions().at(CHALLENGER) == "2"
    assert versions().get("1").tags["quarantined"]
    assert problem_with("models:/ganops/2") == ""


def test_a_package_that_is_gone_is_registered_again(tracking_home: Path) -> None:
    register_small(tracking_home)
    package = registered_folder("models:/ganops/1").parents[1]
    package.rename(tracking_home / "elsewhere")
    with pytest.raises(GanopsError) as error:
        registered_folder("models:/ganops/1")
    assert error.value.code == "files-missing"
    assert register_small(tracking_home) == "2"


def test_the_mean_over_seeds_is_kept_apart(tracking_home: Path) -> None:
    register_small(tracking_home, fid=9.0)
    candidate = small_candidate(tracking_home / "model-0", fid=9.0)
    mean = small_scores(fid=14.0, errors={"fid": 1.5})
    candidate = dataclasses.replace(candidate, mean=mean, seeds=("tiny", "tiny-8"))
    _, new = register(candidate, small_params(), Workspace(tracking_home / "workspace-0"))
    assert not new, "the same model, of which more is known"
    tags = versions().get("1").tags
    assert (tags["seeds"], json.loads(tags["mean"])) == ("tiny, tiny-8", mean.dump())
    assert versions().record("1").own["fid"].value == 9.0, "the gate compares the model's own scores"


def test_a_fresh_registry_gets_the_version_under_a_new_run(tracking_home: Path) -> None:
    """As after a clone: the results are there, the tracking database is new."""
    RunFile(run_id="0" * 32, recipe="tiny").write(Workspace(tracking_home).run_file("tiny"))
    candidate = small_candidate(tracking_home / "model")
    registration, new = register(candidate, small_params(), Workspace(tracking_home))
    assert new
    run = connect().client.get_run(versions().get(registration.version).run_id)
    assert run.data.tags["restored_from"] == "0" * 32


@pytest.mark.slow
def test_two_processes_at_once_make_one_version(tracking_home: Path) -> None:
    """Both start at the same moment; the one that finds an older version of the lineage deletes its own."""
    started = [Fork(register_at_once, tracking_home, name) for name in ("first", "second")]
    found = {process.receive() for process in started}
    assert [process.wait() for process in started] == [0, 0]
    assert len(found) == 1
    assert count() == 1
    assert versions().at(CHALLENGER) == found.pop()


def test_lineage_depends_on_weights_data_and_protocol_and_on_nothing_else(tmp_path: Path) -> None:
    base = small_candidate(tmp_path / "a")
    assert small_candidate(tmp_path / "elsewhere").lineage() == base.lineage()
    assert small_candidate(tmp_path / "b", seed=1).lineage() != base.lineage()
    assert dataclasses.replace(base, manifest=small_manifest("cd" * 32)).lineage() != base.lineage()
    assert dataclasses.replace(base, scores=small_scores("q", fid=10.0)).lineage() != base.lineage()
    more = dataclasses.replace(base, mean=small_scores(fid=1.0), seeds=("a", "b"), training={})
    assert more.lineage() == base.lineage()


@pytest.mark.parametrize(
    ("source", "origin", "name"),
    [
        ("digits", "scikit-learn", "ganops-digits-generate"),
        ("images", "My Cats.zip", "ganops-my-cats-generate"),
        ("images", "v1.2 photos", "ganops-v1-2-photos-generate"),
        ("images", "Кошки", "ganops-generate"),
        ("images", "x" * 100, "ganops-" + "x" * 53),
    ],
)
def test_a_model_is_named_after_its_data_and_task(source: str, origin: str, name: str) -> None:
    assert model_name(small_manifest(source=source, origin=origin), "generate") == name


def test_data_are_the_same_family_when_rows_are_added_and_another_one_when_they_are_others() -> None:
    ours = small_manifest(source="images", origin="cats")
    grown = small_manifest("cd" * 32, source="images", origin="cats", counts={"train": 90, "test": 30})
    assert data_family(grown) == data_family(ours) != data_family(small_manifest(source="images", origin="dogs"))


def test_a_candidate_is_read_from_its_results(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    small_candidate(workspace.model("tiny"))
    small_manifest().write(manifest_path(workspace.prepared))
    scores = workspace.evaluated("tiny") / "scores.json"
    small_scores(fid=3.5).write(scores)
    (workspace.trained("tiny") / "training.json").write_text('{"unhealthy": true}')
    mean = small_scores(fid=4.0)
    winner = {"recipe": "tiny", "seeds": ["tiny", "tiny-8"], "mean": mean.dump()}
    candidate = read_candidate(workspace, "tiny", winner)
    assert (candidate.scores, candidate.mean, candidate.seeds) == (small_scores(fid=3.5), mean, ("tiny", "tiny-8"))
    assert (candidate.training, candidate.pictures) == ({"unhealthy": True}, ())
    for damage in ("[1]", "{", None):
        scores.unlink()
        if damage is not None:
            scores.write_text(damage)
        with pytest.raises(EvaluationError):
            read_candidate(workspace, "tiny", {})
        scores.write_text("")
