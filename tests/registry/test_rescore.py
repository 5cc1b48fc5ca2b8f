"""A champion of an older protocol is scored again, so that a new protocol does not end all comparisons."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from evaluated_home import make_home

from ganops.evaluation.protocol import protocol_of
from ganops.evaluation.reference import load_reference, make_reference
from ganops.params import load_params
from ganops.registry import moves
from ganops.registry.promotion import promote
from ganops.registry.versions import CHAMPION, Versions, measured_tag
from ganops.tracking.store import connect

PREPARED, REFERENCE = Path("data/prepared"), Path("results/reference")


def test_the_champion_is_scored_under_the_challengers_protocol_and_keeps_both(
    register_version: Callable[..., str], tracking_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_home(tracking_home)
    params = load_params()
    params = params.model_copy(update={"evaluate": params.evaluate.model_copy(update={"scores": ("fid",)})})
    make_reference(PREPARED, params.evaluate, REFERENCE, params.seed)
    monkeypatch.setattr(moves, "smoke_test", lambda *_: "")
    versions = Versions(connect(), "ganops")
    register_version(fid=0.001)
    assert promote(params).moved

    today = protocol_of(load_reference(REFERENCE), params.evaluate, params.seed)
    protocol = today.model_dump(mode="json") | {"digest": today.digest()}
    better, worse = register_version(), register_version()
    for version, fid in ((better, 1e-6), (worse, 1e9)):
        versions.mark(version, {"protocol": today.digest(), **measured_tag({"fid": fid}, protocol)})

    assert "do not compare" in promote(params).decision.reasons[0], "without the reference there is nothing to do"
    refused = promote(params, reference=REFERENCE, prepared=PREPARED)
    assert "not better" in refused.decision.reasons[0]
    measured = versions.record("1").measured
    assert [scored.scores.get("fid") for scored in measured[:1]] == [0.001], "what it was registered with stays first"
    assert measured[1].digest == today.digest()
    assert measured[1].scores["fid"] > 0

    shutil.rmtree(REFERENCE)
    accepted = promote(params, better, reference=REFERENCE, prepared=PREPARED)
    assert accepted.moved, "scores that are kept are not measured again"
    assert versions.at(CHAMPION) == better


def test_where_the_champion_cannot_be_scored_the_gate_refuses(
    register_version: Callable[..., str],
    tracking_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_home(tracking_home)
    params = load_params()
    monkeypatch.setattr(moves, "smoke_test", lambda *_: "")
    register_version(fid=2.0)
    promote(params)
    challenger = register_version()
    tags = {"protocol": "e" * 64, **measured_tag({"fid": 1.0}, {"digest": "e" * 64})}
    Versions(connect(), "ganops").mark(challenger, tags)
    result = promote(params, reference=REFERENCE, prepared=PREPARED)
    assert not result.moved
    assert "the champion cannot be scored under the challenger's protocol" in capsys.readouterr().err
