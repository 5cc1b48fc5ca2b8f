"""The gate's truth table: policy, challenger and champion in; verdict and reasons out."""

from __future__ import annotations

from math import inf, nan

import pytest

from ganops.params import GateParams
from ganops.registry.gate import Decision, Measured, Standing, decide

Scores = dict[str, float]


def standing(version: str, fid: float = 10.0, protocol: str = "p", **more: object) -> Standing:
    scores: Scores = {"fid": fid} | more.pop("scores", {})  # type: ignore[operator]  # keyword arguments of mixed types
    return Standing(version, (Measured(scores, {"digest": protocol, "backbone": protocol}),), **more)  # type: ignore[arg-type]  # as above


def judge(challenger: Standing, champion: Standing | None, **policy: object) -> Decision:
    return decide(GateParams.model_validate(policy), challenger, champion)


CHAMPION = standing("1", 10.0)


@pytest.mark.parametrize(
    ("challenger", "champion", "policy", "verdict", "reason"),
    [
        # the first champion
        (standing("1"), None, {}, "accepted", "no champion yet"),
        (standing("1", 120.0), None, {"limits": {"fid": {"max": 100}}}, "refused", "at most 100.0 is asked"),
        (standing("1", nan), None, {}, "refused", "missing or no finite number"),
        (Standing("1", ()), None, {}, "refused", "missing or no finite number"),
        (standing("1", sick=True), None, {}, "refused", "sick"),
        # against a champion, lower is better
        (standing("2", 9.0), CHAMPION, {}, "accepted", "9 against 10 of the champion (version 1): better"),
        (standing("2", 10.0), CHAMPION, {}, "refused", "cannot tell"),
        (standing("2", 11.0), CHAMPION, {}, "refused", "not better"),
        (standing("2", -inf), CHAMPION, {}, "refused", "no finite number"),
        (standing("2", 9.0, sick=True), CHAMPION, {}, "refused", "sick"),
        (standing("2", 9.0, withdrawn="rolled back"), CHAMPION, {}, "refused", "withdrawn before: rolled back"),
        (standing("1", 9.0), CHAMPION, {}, "already champion", "version 1 is the champion already"),
        # by how much
        (standing("2", 9.6), CHAMPION, {"min_improvement": 0.05}, "refused", "less than the asked 5.0%"),
        (standing("2", 9.5), CHAMPION, {"min_improvement": 0.05}, "accepted", "better"),
        # absolute limits
        (standing("2", 9.0), CHAMPION, {"limits": {"fid": {"max": 8}}}, "refused", "at most 8.000"),
        (standing("2", 8.0), CHAMPION, {"limits": {"fid": {"max": 8}}}, "accepted", "better"),
        (standing("2", 9.0), CHAMPION, {"limits": {"is": {"min": 2}}}, "refused", "missing or no finite number"),
        (standing("2", 9.0, scores={"is": 1.9}), CHAMPION, {"limits": {"is": {"min": 2}}}, "refused", "at least 2.000"),
        (standing("2", 9.0, scores={"is": 2.0}), CHAMPION, {"limits": {"is": {"min": 2}}}, "accepted", "better"),
        # protocols
        (standing("2", 9.0, "q"), CHAMPION, {}, "refused", "do not compare: another protocol (backbone q, not p)"),
        (standing("2", 9.0, ""), CHAMPION, {}, "refused", "do not compare: a protocol is missing"),
        (standing("2", 9.0, ""), standing("1", 10.0, ""), {}, "refused", "do not compare: a protocol is missing"),
        (standing("2", 9.0), standing("1", nan), {}, "refused", "nothing can be compared"),
        # mode
        (standing("2", 9.0), CHAMPION, {"mode": "dry_run"}, "accepted", "nothing moves"),
        (standing("2", 11.0), CHAMPION, {"mode": "dry_run"}, "refused", "not better"),
        (standing("2", 9.0), CHAMPION, {"mode": "disabled"}, "not judged", "nothing is judged"),
        (standing("2", sick=True), None, {"mode": "disabled"}, "not judged", "nothing is judged"),
    ],
)
def test_truth_table(
    challenger: Standing, champion: Standing | None, policy: dict[str, object], verdict: str, reason: str
) -> None:
    decision = judge(challenger, champion, **policy)
    assert decision.verdict == verdict
    assert any(reason in sentence for sentence in decision.reasons), decision.reasons
    assert decision.promote == (verdict == "accepted" and policy.get("mode", "enabled") == "enabled")


def test_a_higher_inception_score_is_better() -> None:
    better, worse = ({"is": value} for value in (3.0, 2.0))
    champion = standing("1", scores=worse)
    assert judge(standing("2", scores=better), champion, score="is").promote
    assert not judge(standing("2", scores=worse), standing("1", scores=better), score="is").promote


def test_kid_below_zero_still_compares() -> None:
    champion = standing("1", scores={"kid": -0.001})
    assert judge(standing("2", scores={"kid": -0.002}), champion, score="kid").promote
    assert not judge(standing("2", scores={"kid": 0.0}), champion, score="kid").promote


@pytest.mark.parametrize(
    ("sigmas", "promoted"),
    [(0.0, True), (1.9, True), (2.1, False)],
)
def test_a_gain_within_chance_is_not_better(sigmas: float, promoted: bool) -> None:
    """Errors 0.3 and 0.4 give 0.5 for the difference; a gain of 1 is two of them."""
    challenger = standing("2", 9.0, scores={"fid_error": 0.3})
    champion = standing("1", 10.0, scores={"fid_error": 0.4})
    decision = judge(challenger, champion, sigmas=sigmas)
    assert decision.promote is promoted
    assert promoted or "one cannot tell" in decision.reasons[0]


def test_a_champion_scored_again_under_the_challengers_protocol_compares() -> None:
    champion = Standing("1", (Measured({"fid": 3.0}, {"digest": "old"}), Measured({"fid": 10.0}, {"digest": "p"})))
    assert judge(standing("2", 9.0), champion).promote


def test_all_failures_are_told_and_come_first() -> None:
    decision = judge(standing("2", 11.0, sick=True), CHAMPION, limits={"fid": {"max": 20}})
    assert decision.reasons == (
        "its training was sick when it ended; a sick run is never promoted",
        "FID 11 against 10 of the champion (version 1): not better",
        "FID 11.00, at most 20.00 is asked",
    )
