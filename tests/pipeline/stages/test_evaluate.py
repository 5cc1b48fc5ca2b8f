"""The evaluate stage: scores with their protocol, pictures and tables on disk, and the same in the recipe's run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from evaluated_home import RECIPE, SPEC, leave_training, make_home
from PIL import Image
from tiny_training import shrunk

from ganops.errors import EvaluationError, SettingsError
from ganops.params import load_params
from ganops.tracking.run import start_run
from ganops.tracking.store import connect
from pipeline.stages.evaluate import main
from pipeline.stages.reference import main as make_reference

FILES = {
    "metrics.json",
    "protocol.json",
    "classes.csv",
    "curves.png",
    "interpolations.png",
    "neighbours.png",
    "samples.png",
    "training.webp",
}


@pytest.fixture
def home(tracking_home: Path) -> Path:
    """A checkout with prepared digits, a reference and an empty tracking database."""
    make_home(tracking_home)
    make_reference()
    return tracking_home


def track(home: Path) -> str:
    """A run as training leaves it; its id."""
    with start_run("tiny", params=load_params(), recipe=RECIPE, system_metrics=False) as run:
        run.log_curves([(1, {"generator/loss": 0.7}), (2, {"generator/loss": 0.6})])
    return run.run_id


def test_scores_pictures_and_records(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = track(home)
    leave_training(home, run_id)
    main("tiny")
    out = home / "results" / "evaluate" / "tiny"
    assert {path.name for path in out.iterdir()} == FILES
    metrics = json.loads((out / "metrics.json").read_text())
    assert {"fid", "fid_error", "is", "kid", "precision", "memorisation_p", "modes"} <= set(metrics)
    assert all(isinstance(value, float) for value in metrics.values())
    protocol = json.loads((out / "protocol.json").read_text())
    assert len(protocol["digest"]) == 64
    assert protocol["generated_count"] == 120
    rows = list(csv.DictReader((out / "classes.csv").open()))
    assert [row["class"] for row in rows] == list(SPEC.classes)
    assert sum(float(row["real_share"]) for row in rows) == pytest.approx(1, abs=1e-4)
    for picture in ("samples.png", "neighbours.png", "interpolations.png", "curves.png", "training.webp"):
        with Image.open(out / picture) as image:
            assert min(image.size) > 50, picture
    assert f"evaluate tiny: fid {metrics['fid']:.4g}" in capsys.readouterr().out
    tracked = connect().client.get_run(run_id).data
    assert tracked.metrics["fid"] == pytest.approx(metrics["fid"])
    assert tracked.tags["protocol.digest"] == protocol["digest"]
    kept = {file.path for file in connect().client.list_artifacts(run_id, "evaluate")}
    assert {"evaluate/samples.png", "evaluate/classes.csv"} <= kept


def test_what_the_game_shows_of_itself(home: Path) -> None:
    """An encoder's reconstructions: two rows of ten real digits, each above its reconstructions."""
    leave_training(home, track(home), recipe=shrunk("bigan"))
    main("tiny")
    with Image.open(home / "results" / "evaluate" / "tiny" / "reconstructions.png") as image:
        assert image.size == (2 + 10 * (7 * 8 + 2), 2 + 4 * (7 * 8 + 2))


def test_the_same_again(home: Path) -> None:
    leave_training(home, track(home))
    main("tiny")
    out = home / "results" / "evaluate" / "tiny"
    first = {name: (out / name).read_bytes() for name in ("metrics.json", "protocol.json", "classes.csv")}
    main("tiny")
    assert {name: (out / name).read_bytes() for name in first} == first


def test_a_sick_model_has_no_scores_and_stops_nobody(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave_training(home, track(home), sick=True)
    main("tiny")
    out = home / "results" / "evaluate" / "tiny"
    assert json.loads((out / "metrics.json").read_text()) == {}
    assert len(json.loads((out / "protocol.json").read_text())["digest"]) == 64
    assert (out / "samples.png").exists()
    assert "no scores, its training was sick" in capsys.readouterr().out


def test_a_healthy_training_with_broken_weights_is_an_error(home: Path) -> None:
    leave_training(home, track(home), sick=True)
    (home / "results" / "train" / "tiny" / "training.json").write_text('{"sick": false}')
    with pytest.raises(EvaluationError, match="weights hold NaN"):
        main("tiny")
    assert not (home / "results" / "evaluate" / "tiny" / "metrics.json").exists()


def test_a_reference_of_other_settings_is_refused(home: Path) -> None:
    leave_training(home, track(home))
    params = home / "params.yaml"
    params.write_text(params.read_text().replace("samples: 120", "samples: 120\n  neighbours: 3"))
    with pytest.raises(EvaluationError, match=r"another evaluate\.neighbours"):
        main("tiny")


def test_an_unknown_recipe_names_the_nearest(home: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean 'tiny'"):
        main("tinny")
