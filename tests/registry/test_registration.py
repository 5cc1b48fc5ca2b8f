"""The winner becomes a version: with card and lineage, once, on whichever registry there is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_model import register_small, small_candidate, small_manifest, small_params

from ganops.errors import RegistryError
from ganops.registry.candidate import read_candidate
from ganops.registry.register import register
from ganops.registry.versions import CHALLENGER, Versions
from ganops.tracking.run import RunFile
from ganops.tracking.store import connect


def versions() -> Versions:
    return Versions(connect(), "ganops")


def count() -> int:
    return len(connect().client.search_model_versions("name = 'ganops'"))


def test_a_version_carries_lineage_scores_description_and_the_alias(tracking_home: Path) -> None:
    version = register_small(tracking_home, fid=12.5)
    assert versions().at(CHALLENGER) == version == "1"
    kept = versions().get(version)
    run_id = json.loads((tracking_home / "run-0.json").read_text())["run_id"]
    assert kept.run_id == kept.tags["run"] == run_id
    assert kept.tags["recipe"] == "tiny"
    assert kept.tags["data.digest"] == "ab" * 32
    assert kept.tags["score.fid"] == "12.5"
    assert (kept.tags["init.model"], kept.tags["init.digest"]) == ("other", "e" * 64)
    assert kept.tags["sick"] == "false"
    assert kept.tags["protocol"] == "d" * 64
    assert "grey images of 8 x 8 pixels in the manner of digits" in kept.description
    assert "FID 12.50 ± 0.10" in kept.description
    standing = versions().record(version)
    assert standing.measured[0].scores == {"fid": 12.5, "fid_error": 0.1}
    assert not standing.sick
    assert connect().client.get_run(run_id).data.tags["model.version"] == "ganops/1"
    card = tracking_home / "mlruns" / "ganops" / run_id / "artifacts" / "card" / "README.md"
    assert card.read_text().startswith("# tiny, trained on digits")


def test_the_same_lineage_is_registered_once_and_another_one_anew(tracking_home: Path) -> None:
    assert register_small(tracking_home, seed=0) == "1"
    assert register_small(tracking_home, seed=1) == "2"
    assert register_small(tracking_home, seed=0) == "1"
    assert versions().at(CHALLENGER) == "1", "the newest winner is the challenger, though its version is old"
    assert count() == 2


def test_a_fresh_registry_gets_the_version_under_a_new_run(tracking_home: Path) -> None:
    """As after a clone: the results are there, the tracking database is new."""
    run_file = tracking_home / "run.json"
    RunFile(run_id="0" * 32, recipe="tiny").write(run_file)
    registration, new = register(small_candidate(tracking_home / "model"), small_params(), run_file)
    assert new
    run = connect().client.get_run(versions().get(registration.version).run_id)
    assert run.data.tags["restored_from"] == "0" * 32


@pytest.mark.slow
def test_two_processes_at_once_make_one_version(tracking_home: Path) -> None:
    """Their imports end at nearly the same time; whoever finds an older version of the lineage takes its own back."""
    program = (
        "import sys, time; from pathlib import Path; from small_model import register_small; import mlflow.pyfunc\n"
        "home = Path(sys.argv[1]); (home / f'ready-{sys.argv[2]}').touch()\n"
        "while len(list(home.glob('ready-*'))) < 2: time.sleep(0.01)\n"
        "(home / sys.argv[2]).mkdir(); print(register_small(home / sys.argv[2]))"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tracking_home), name],
            env=environment,
            cwd=tracking_home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("first", "second")
    ]
    outputs = [process.communicate(timeout=240) for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    found = {out.split()[-1] for out, _ in outputs}
    assert len(found) == 1, outputs
    assert count() == 1
    assert versions().at(CHALLENGER) == found.pop()


def test_lineage_depends_on_weights_data_and_protocol_and_on_nothing_else(tmp_path: Path) -> None:
    base = small_candidate(tmp_path / "a")
    assert small_candidate(tmp_path / "elsewhere").lineage() == base.lineage()
    assert small_candidate(tmp_path / "b", seed=1).lineage() != base.lineage()
    other_data = small_candidate(tmp_path / "c").__class__(**{**base.__dict__, "manifest": small_manifest("cd" * 32)})
    assert other_data.lineage() != base.lineage()


def test_a_candidate_is_read_from_the_results(tmp_path: Path) -> None:
    trained, evaluated = tmp_path / "train", tmp_path / "evaluate"
    small_candidate(trained / "model")
    evaluated.mkdir()
    (trained / "training.json").write_text('{"sick": true}')
    (evaluated / "metrics.json").write_text('{"fid": 3.5}')
    (evaluated / "protocol.json").write_text('{"digest": "x"}')
    candidate = read_candidate("tiny", trained, evaluated, small_manifest())
    assert (candidate.scores, candidate.training, candidate.pictures) == ({"fid": 3.5}, {"sick": True}, ())
    for damage in ("[1]", "{", None):
        if damage is None:
            (evaluated / "metrics.json").unlink()
        else:
            (evaluated / "metrics.json").write_text(damage)
        with pytest.raises(RegistryError, match=r"metrics\.json"):
            read_candidate("tiny", trained, evaluated, small_manifest())
