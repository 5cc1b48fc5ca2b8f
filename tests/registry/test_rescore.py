"""A champion of an older protocol is scored again, so that a new protocol does not end all comparisons."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from evaluated_home import make_home
from small_model import small_scores

from ganops.evaluation.evaluate import evaluate_game
from ganops.evaluation.reference import make_reference
from ganops.evaluation.scores import Scores
from ganops.games.saved import load_game
from ganops.params import Params
from ganops.registry import promotion
from ganops.registry.load import registered_folder
from ganops.registry.promotion import promote
from ganops.registry.versions import CHAMPION, Versions, measured_tag, protocol_digest
from ganops.resolved import load_params
from ganops.tracking.store import connect
from ganops.workspace import Workspace

KEY = "fid_classifier"
HERE = Workspace()


@pytest.fixture
def params(tracking_home: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """Settings of a checkout with prepared data, whose registered model is `ganops`."""
    make_home(tracking_home)
    monkeypatch.setattr(promotion, "smoke_test", lambda *_: "")
    params = load_params()
    return params.model_copy(
        update={
            "evaluate": params.evaluate.model_copy(update={"metrics": {"fid": {}}}),
            "gate": params.gate.model_copy(update={"limits": {}}),
            "tracking": params.tracking.model_copy(update={"model": "ganops"}),
        }
    )


def score(params: Params, fid: float) -> Scores:
    """Scores under today's protocol."""
    game = load_game(registered_folder("models:/ganops/1"))
    today = evaluate_game(game, HERE.reference, HERE.prepared, params.evaluate, params.seed).scores
    made = small_scores(**{KEY: fid})
    return Scores(made.values_, today.protocol, {KEY: today.group_of[KEY]})


def mark(versions: Versions, version: str, scores: Scores) -> None:
    versions.mark(version, {"protocol": protocol_digest(scores), **measured_tag(scores)})


def test_the_champion_is_scored_under_the_challengers_protocol_and_keeps_both(
    register_version: Callable[..., str], params: Params
) -> None:
    make_reference(HERE.prepared, params.evaluate, HERE.reference, params.seed)
    versions = Versions(connect(), "ganops")
    register_version(**{KEY: 0.001})
    assert promote(params).moved
    better, worse = register_version(), register_version()
    for version, fid in ((better, 1e-6), (worse, 1e9)):
        mark(versions, version, score(params, fid))

    assert promote(params).decision.codes == ("not-comparable",), "without the reference it cannot be scored again"
    assert promote(params, workspace=HERE).decision.codes == ("worse",)
    first, second = versions.record("1").measured
    assert first[KEY].value == 0.001, "what it was registered with stays first"
    assert second[KEY].value > 0

    shutil.rmtree(HERE.reference)
    assert promote(params, better, workspace=HERE).moved, "scores that are kept are not measured again"
    assert versions.at(CHAMPION) == better


def test_where_the_champion_cannot_be_scored_the_gate_refuses(
    register_version: Callable[..., str], params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    HERE.reference.mkdir(parents=True)
    register_version(**{KEY: 2.0})
    promote(params)
    register_version(protocol="q", **{KEY: 1.0})
    assert promote(params, workspace=HERE).decision.codes == ("not-comparable",)
    assert "cannot be scored" in capsys.readouterr().err


def test_a_champion_of_other_data_is_not_scored(
    register_version: Callable[..., str], params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promotion, "rescore", lambda *_: pytest.fail("scored"))
    HERE.reference.mkdir(parents=True)
    versions = Versions(connect(), "ganops")
    versions.mark(register_version(**{KEY: 2.0}), {"data.family": "digits"})
    promote(params)
    versions.mark(register_version(protocol="q", **{KEY: 1.0}), {"data.family": "cats"})
    assert promote(params, workspace=HERE).decision.codes == ("other-data",)
