"""The evaluate stage: scores with their protocol, pictures and tables on disk, and the same in the recipe's run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from evaluated_home import RECIPE, SPEC, leave_training, make_home
from PIL import Image
from tiny_training import shrunk

from ganops.errors import EvaluationError, SettingsError
from ganops.evaluation.scores import read_scores
from ganops.reporting.contents import read_contents
from ganops.resolved import load_params
from ganops.tracking.run import start_run
from ganops.tracking.store import connect
from pipeline.stages.evaluate import main
from pipeline.stages.reference import main as make_reference

FILES = {
    "contents.json",
    "scores.json",
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
    scores = read_scores(out / "scores.json", "dvc repro")
    assert {"fid_classifier", "is_classifier", "kid_classifier", "precision", "memorisation_p", "modes"} <= set(scores)
    assert scores["fid_classifier"].error is not None
    assert scores.protocol.shared["generated"] == 120
    contents = read_contents(out)
    assert [entry.file for entry in contents.pictures] == [
        *("samples.png", "interpolations.png", "neighbours.png", "training.webp", "curves.png"),
    ]
    assert all(entry.title and entry.caption for entry in contents.pictures)
    assert [entry.file for entry in contents.tables] == ["classes.csv"]
    rows = list(csv.DictReader((out / "classes.csv").open()))
    assert [row["class"] for row in rows] == list(SPEC.classes)
    assert sum(float(row["real_share"]) for row in rows) == pytest.approx(1, abs=1e-4)
    for picture in ("samples.png", "neighbours.png", "interpolations.png", "curves.png", "training.webp"):
        with Image.open(out / picture) as image:
            assert min(image.size) > 50, picture
    assert f"evaluate tiny: fid_classifier {scores['fid_classifier'].value:.4g}" in capsys.readouterr().out
    tracked = connect().client.get_run(run_id).data
    assert tracked.metrics["score/fid_classifier"] == pytest.approx(scores["fid_classifier"].value)
    assert tracked.metrics["score/error/fid_classifier"] == pytest.approx(scores["fid_classifier"].error)
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
    first = {name: (out / name).read_bytes() for name in ("scores.json", "contents.json", "classes.csv")}
    main("tiny")
    assert {name: (out / name).read_bytes() for name in first} == first


def test_an_unhealthy_model_has_no_scores_and_stops_nobody(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave_training(home, track(home), unhealthy=True)
    main("tiny")
    out = home / "results" / "evaluate" / "tiny"
    assert not read_scores(out / "scores.json", "dvc repro")
    assert read_contents(out).pictures[0].file == "samples.png"
    assert "no scores, its training was unhealthy" in capsys.readouterr().out


def test_a_healthy_training_with_broken_weights_is_an_error(home: Path) -> None:
    leave_training(home, track(home), unhealthy=True)
    (home / "results" / "train" / "tiny" / "training.json").write_text('{"unhealthy": false}')
    with pytest.raises(EvaluationError) as caught:
        main("tiny")
    assert caught.value.code == "weights-not-finite"
    assert not (home / "results" / "evaluate" / "tiny" / "scores.json").exists()


def test_a_reference_of_other_settings_is_refused(home: Path) -> None:
    leave_training(home, track(home))
    params = home / "params.yaml"
    params.write_text(params.read_text().replace("samples: 120", "samples: 120\n  split: test"))
    with pytest.raises(EvaluationError) as caught:
        main("tiny")
    assert caught.value.code == "reference-of-other-split"


def test_an_unknown_recipe_names_the_nearest(home: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        main("tinny")
    assert "'tiny'" in caught.value.action


def test_a_model_that_is_given_an_image_and_a_class_is_judged_by_the_class_that_was_asked_for(
    tracking_home: Path,
) -> None:
    """StarGAN: inputs and outputs have a column of the same name, and rows have another class than is asked for."""
    make_home(tracking_home)
    make_reference()
    recipe = shrunk("stargan", kimg=0.5)
    run_id = track(tracking_home)
    leave_training(tracking_home, run_id, recipe=recipe)
    main("tiny")
    out = tracking_home / "results" / "evaluate" / "tiny"
    scores, identity = (read_scores(path, "x") for path in (out / "scores.json", out / "baselines" / "identity.json"))
    assert 0 <= scores["label_accuracy"].value <= 1
    # The classes that are asked for do not depend on the image, so the image itself is of them by chance.
    assert identity["label_accuracy"].value < 0.35
    assert "attributes.png" in [entry.file for entry in read_contents(out).pictures]
