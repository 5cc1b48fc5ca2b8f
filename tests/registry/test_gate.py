"""The gate's truth table: policy, challenger and champion in; verdict and reasons out."""

from __future__ import annotations

from math import inf, nan

import pytest

from ganops.params import GateParams
from ganops.registry.gate import Decision, ModelRecord, ProtocolScores, decide

Scores = dict[str, float]


def record(version: str, fid: float = 10.0, protocol: str = "p", **more: object) -> ModelRecord:
    scores: Scores = {"fid": fid} | more.pop("scores", {})  # type: ignore[operator]  # keyword arguments of mixed types
    return ModelRecord(version, (ProtocolScores(scores, {"digest": protocol, "extractor": protocol}),), **more)  # type: ignore[arg-type]  # as above


def judge(challenger: ModelRecord, champion: ModelRecord | None, **policy: object) -> Decision:
    return decide(GateParams.model_validate(policy), challenger, champion)


CHAMPION = record("1", 10.0)


@pytest.mark.parametrize(
    ("challenger", "champion", "policy", "verdict", "reason"),
    [
        # the first champion
        (record("1"), None, {}, "accepted", "no champion yet"),
        (record("1", 120.0), None, {"limits": {"fid": {"max": 100}}}, "refused", "at most 100.0 is asked"),
        (record("1", nan), None, {}, "refused", "missing or no finite number"),
        (ModelRecord("1", ()), None, {}, "refused", "missing or no finite number"),
        (record("1", sick=True), None, {}, "refused", "sick"),
        # against a champion, lower is better
        (record("2", 9.0), CHAMPION, {}, "accepted", "9 against 10 of the champion (version 1): better"),
        (record("2", 10.0), CHAMPION, {}, "refused", "cannot tell"),
        (record("2", 11.0), CHAMPION, {}, "refused", "not better"),
        (record("2", -inf), CHAMPION, {}, "refused", "no finite number"),
        (record("2", 9.0, sick=True), CHAMPION, {}, "refused", "sick"),
        (record("2", 9.0, quarantined="rolled back"), CHAMPION, {}, "refused", "quarantined before: rolled back"),
        (record("1", 9.0), CHAMPION, {}, "already champion", "version 1 is the champion already"),
        # by how much
        (record("2", 9.6), CHAMPION, {"min_improvement": 0.05}, "refused", "less than the asked 5.0%"),
        (record("2", 9.5), CHAMPION, {"min_improvement": 0.05}, "accepted", "better"),
        # absolute limits
        (record("2", 9.0), CHAMPION, {"limits": {"fid": {"max": 8}}}, "refused", "at most 8.000"),
        (record("2", 8.0), CHAMPION, {"limits": {"fid": {"max": 8}}}, "accepted", "better"),
        (record("2", 9.0), CHAMPION, {"limits": {"is": {"min": 2}}}, "refused", "missing or no finite number"),
        (record("2", 9.0, scores={"is": 1.9}), CHAMPION, {"limits": {"is": {"min": 2}}}, "refused", "at least 2.000"),
        (record("2", 9.0, scores={"is": 2.0}), CHAMPION, {"limits": {"is": {"min": 2}}}, "accepted", "better"),
        # protocols
        (record("2", 9.0, "q"), CHAMPION, {}, "refused", "do not compare: another protocol (extractor q, not p)"),
        (record("2", 9.0, ""), CHAMPION, {}, "refused", "do not compare: a protocol is missing"),
        (record("2", 9.0, ""), record("1", 10.0, ""), {}, "refused", "do not compare: a protocol is missing"),
        (record("2", 9.0), record("1", nan), {}, "refused", "nothing can be compared"),
        # mode
        (record("2", 9.0), CHAMPION, {"mode": "dry_run"}, "accepted", "nothing moves"),
        (record("2", 11.0), CHAMPION, {"mode": "dry_run"}, "refused", "not better"),
        (record("2", 9.0), CHAMPION, {"mode": "disabled"}, "not judged", "nothing is judged"),
        (record("2", sick=True), None, {"mode": "disabled"}, "not judged", "nothing is judged"),
    ],
)
def test_truth_table(
    challenger: ModelRecord, champion: ModelRecord | None, policy: dict[str, object], verdict: str, reason: str
) -> None:
    decision = judge(challenger, champion, **policy)
    assert decision.verdict == verdict
    assert any(reason in sentence for sentence in decision.reasons), decision.reasons
    assert decision.promote == (verdict == "accepted" and policy.get("mode", "enabled") == "enabled")


def test_a_higher_inception_score_is_better() -> None:
    better, worse = ({"is": value} for value in (3.0, 2.0))
    champion = record("1", scores=worse)
    assert judge(record("2", scores=better), champion, score="is").promote
    assert not judge(record("2", scores=worse), record("1", scores=better), score="is").promote


def test_kid_below_zero_still_compares() -> None:
    champion = record("1", scores={"kid": -0.001})
    assert judge(record("2", scores={"kid": -0.002}), champion, score="kid").promote
    assert not judge(record("2", scores={"kid": 0.0}), champion, score="kid").promote


@pytest.mark.parametrize(
    ("sigmas", "promoted"),
    [(0.0, True), (1.9, True), (2.1, False)],
)
def test_a_gain_within_chance_is_not_better(sigmas: float, promoted: bool) -> None:
    """Errors 0.3 and 0.4 give 0.5 for the difference; a gain of 1 is two of them."""
    challenger = record("2", 9.0, scores={"fid_error": 0.3})
    champion = record("1", 10.0, scores={"fid_error": 0.4})
    decision = judge(challenger, champion, sigmas=sigmas)
    assert decision.promote is promoted
    assert promoted or "one cannot tell" in decision.reasons[0]


def test_a_champion_scored_again_under_the_challengers_protocol_compares() -> None:
    champion = ModelRecord(
        "1", (ProtocolScores({"fid": 3.0}, {"digest": "old"}), ProtocolScores({"fid": 10.0}, {"digest": "p"}))
    )
    assert judge(record("2", 9.0), champion).promote


def test_all_failures_are_told_and_come_first() -> None:
    decision = judge(record("2", 11.0, sick=True), CHAMPION, limits={"fid": {"max": 20}})
    assert decision.reasons == (
        "its training was sick when it ended; a sick run is never promoted",
        "FID 11 against 10 of the champion (version 1): not better",
        "FID 11.00, at most 20.00 is asked",
    )
