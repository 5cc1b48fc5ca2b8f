"""The gate's truth table: policy, challenger and champion in; verdict and codes out."""

from __future__ import annotations

from typing import Any

import pytest
from small_model import small_scores

from ganops.params import GateParams
from ganops.registry.gate import Decision, ModelRecord, decide


def record(
    version: str, fid: float = 10.0, protocol: str = "p", error: float | None = None, **more: Any
) -> ModelRecord:
    scores = more.pop("scores", {})
    errors = {} if error is None else {"fid": error}
    return ModelRecord(version, (small_scores(protocol, errors, fid=fid, **scores),), **{"metric": "fid", **more})


def judge(challenger: ModelRecord, champion: ModelRecord | None, **policy: object) -> Decision:
    """Without limits unless the policy has some."""
    return decide(GateParams.model_validate({"limits": {}, **policy}), challenger, champion)


CHAMPION = record("1", 10.0)
UNSCORED = ModelRecord("1", metric="fid")
CATS, DOGS = {"data": "cats"}, {"data": "dogs"}


@pytest.mark.parametrize(
    ("challenger", "champion", "policy", "verdict", "code"),
    [
        # the first champion
        (record("1"), None, {}, "accepted", "first-champion"),
        (record("1", 120.0), None, {"limits": {"fid": {"max": 100}}}, "refused", "limit"),
        (UNSCORED, None, {}, "refused", "missing-metric"),
        (ModelRecord("1"), None, {}, "refused", "unknown-metric"),
        (record("1", unhealthy=True), None, {}, "refused", "unhealthy"),
        (record("1", broken="its smoke test failed"), None, {}, "refused", "unusable"),
        # against a champion, lower is better
        (record("2", 9.0), CHAMPION, {}, "accepted", "better"),
        (record("2", 10.0), CHAMPION, {}, "refused", "cannot-tell"),
        (record("2", 11.0), CHAMPION, {}, "refused", "worse"),
        (record("2", 9.0, unhealthy=True), CHAMPION, {}, "refused", "unhealthy"),
        (record("2", 9.0, quarantined="rolled back"), CHAMPION, {}, "refused", "quarantined"),
        (record("1", 9.0), CHAMPION, {}, "already champion", "already-champion"),
        # by how much
        (record("2", 9.6), CHAMPION, {"min_improvement": 0.05}, "refused", "too-little"),
        (record("2", 9.5), CHAMPION, {"min_improvement": 0.05}, "accepted", "better"),
        # absolute limits
        (record("2", 9.0), CHAMPION, {"limits": {"fid": {"max": 8}}}, "refused", "limit"),
        (record("2", 8.0), CHAMPION, {"limits": {"fid": {"max": 8}}}, "accepted", "limit"),
        (record("2", 9.0), CHAMPION, {"limits": {"is": {"min": 2}}}, "refused", "missing-metric"),
        (record("2", 9.0), CHAMPION, {"limits": {"no-such-metric": {"min": 2}}}, "refused", "missing-metric"),
        (record("2", 9.0, scores={"is": 1.9}), CHAMPION, {"limits": {"is": {"min": 2}}}, "refused", "limit"),
        (record("2", 9.0, scores={"is": 2.0}), CHAMPION, {"limits": {"is": {"min": 2}}}, "accepted", "better"),
        # another metric than the game's default
        (
            record("2", 11.0, scores={"is": 3.0}),
            record("1", scores={"is": 2.0}),
            {"metric": "is"},
            "accepted",
            "better",
        ),
        (record("2", 9.0, scores={"is": 2.0}), record("1", scores={"is": 3.0}), {"metric": "is"}, "refused", "worse"),
        (record("2", 9.0), CHAMPION, {"metric": "is"}, "refused", "missing-metric"),
        (record("2", 9.0, scores={"odd": 1.0}), CHAMPION, {"metric": "odd"}, "refused", "no-direction"),
        # protocols
        (record("2", 9.0, "q"), CHAMPION, {}, "refused", "not-comparable"),
        (record("2", 9.0), ModelRecord("1"), {}, "refused", "not-comparable"),
        # data and tasks
        (record("2", 9.0, **CATS), record("1", **DOGS), {}, "refused", "other-data"),
        (record("2", 9.0, **CATS), record("1", **CATS), {}, "accepted", "better"),
        (record("2", 9.0, task="denoise"), record("1", task="generate"), {}, "refused", "other-task"),
        # a champion that cannot be loaded
        (record("2", 11.0), record("1", broken="its files are missing"), {}, "accepted", "champion-unusable"),
        (record("1", broken="gone"), record("1", broken="gone"), {}, "refused", "unusable"),
        # mode
        (record("2", 9.0), CHAMPION, {"mode": "dry_run"}, "accepted", "dry-run"),
        (record("2", 11.0), CHAMPION, {"mode": "dry_run"}, "refused", "worse"),
        (record("2", 9.0), CHAMPION, {"mode": "disabled"}, "not judged", "disabled"),
        (record("2", unhealthy=True), None, {"mode": "disabled"}, "not judged", "disabled"),
    ],
)
def test_truth_table(
    challenger: ModelRecord, champion: ModelRecord | None, policy: dict[str, object], verdict: str, code: str
) -> None:
    decision = judge(challenger, champion, **policy)
    assert (decision.verdict, code in decision.codes) == (verdict, True), decision
    assert decision.promote == (verdict == "accepted" and policy.get("mode", "enabled") == "enabled")


def test_kid_below_zero_still_compares() -> None:
    champion = record("1", scores={"kid": -0.001})
    assert judge(record("2", scores={"kid": -0.002}), champion, metric="kid").promote
    assert not judge(record("2", scores={"kid": 0.0}), champion, metric="kid").promote


@pytest.mark.parametrize(("sigmas", "promoted"), [(0.0, True), (1.9, True), (2.1, False)])
def test_a_difference_within_its_uncertainty_is_not_better(sigmas: float, promoted: bool) -> None:
    """Errors 0.3 and 0.4 give 0.5 for the difference; a gain of 1 is two of them."""
    decision = judge(record("2", 9.0, error=0.3), record("1", 10.0, error=0.4), sigmas=sigmas)
    assert decision.promote is promoted
    assert promoted or decision.codes == ("cannot-tell",)


def test_a_champion_scored_again_under_the_challengers_protocol_compares() -> None:
    champion = ModelRecord("1", (small_scores("old", fid=3.0), small_scores("p", fid=10.0)))
    assert judge(record("2", 9.0), champion).promote


def test_only_the_protocol_of_the_metric_has_to_be_equal() -> None:
    """More KID subsets do not make FID incomparable."""
    challenger, champion = (
        small_scores(fid=9.0, kid=0.1),
        small_scores(fid=10.0, kid=0.1),
    )
    champion.protocol.groups["kid"]["subsets"] = 7
    records = ModelRecord("2", (challenger,), metric="fid"), ModelRecord("1", (champion,))
    assert judge(*records).promote
    assert judge(*records, metric="kid").codes == ("not-comparable",)
    assert "subsets" in judge(*records, metric="kid").reasons[0]


def test_failures_come_first() -> None:
    decision = judge(record("2", 11.0, unhealthy=True), CHAMPION, limits={"fid": {"max": 20}})
    assert decision.codes == ("unhealthy", "worse", "limit")
    assert [finding.passed for finding in decision.findings] == [False, False, True]


def test_a_missing_metric_is_named() -> None:
    assert "no-such-metric" in judge(record("2"), None, limits={"no-such-metric": {"max": 1}}).reasons[0]


def test_a_limit_is_broken_by_more_than_its_uncertainty() -> None:
    """0.85 with an error of 0.03 may be 0.8; with 0.02 it may not."""
    policy = {"limits": {"memorisation": {"max": 0.8}}}
    for error, promoted in ((0.03, True), (0.02, False)):
        own = small_scores(errors={"memorisation": error}, fid=1.0, memorisation=0.85)
        assert judge(ModelRecord("1", (own,), metric="fid"), None, **policy).promote is promoted


@pytest.mark.parametrize(
    ("scores", "codes"),
    [
        ({"memorisation": 0.99}, {"limit"}),
        ({"memorisation": 0.5, "rarest_class": 0.02}, {"limit"}),
        ({"memorisation": 0.5, "rarest_class": 0.7}, set()),
        ({"memorisation": 0.5}, set()),
        ({}, set()),
    ],
)
def test_the_default_limits_hold_where_their_metrics_were_measured(scores: dict[str, float], codes: set[str]) -> None:
    """For the first champion too; a model of data without classes has no share of a class."""
    decision = decide(GateParams(), record("1", scores=scores), None)
    assert {finding.code for finding in decision.findings if not finding.passed} == codes
    assert decision.codes.count("not-measured") == 2 - len(scores)
