"""Whether a challenger may become champion: one pure function of scores, protocols and policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

from ganops.evaluation.estimate import Estimate
from ganops.evaluation.verdict import judge
from ganops.params import GateParams
from ganops.reporting.scores import ERROR_SUFFIX, describe, number

Verdict = Literal["accepted", "refused", "already champion", "not judged"]


@dataclass(frozen=True)
class ProtocolScores:
    """Scores (`<key>_error` is the standard error of `<key>`) and the protocol they were measured under."""

    scores: Mapping[str, float]
    protocol: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The protocol's digest; empty where it is not known, which equals nothing."""
        return str(self.protocol.get("digest") or "")


@dataclass(frozen=True)
class ModelRecord:
    """All that counts for or against a model version.

    measured: its scores, once per protocol, the first those it was registered with.
    sick: something was wrong when its training ended. quarantined: why it was taken back before; empty if it was not.
    """

    version: str
    measured: tuple[ProtocolScores, ...]
    sick: bool = False
    quarantined: str = ""

    def under(self, digest: str) -> ProtocolScores | None:
        """Its scores under a protocol."""
        return next((measured for measured in self.measured if digest and measured.digest == digest), None)


@dataclass(frozen=True)
class Decision:
    """promote: the champion alias may move. verdict: what the gate found. reasons: sentences, failures first."""

    promote: bool
    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass
class _Findings:
    for_it: list[str] = field(default_factory=list)
    against_it: list[str] = field(default_factory=list)

    def note(self, good: bool, sentence: str) -> None:
        (self.for_it if good else self.against_it).append(sentence)


def decide(policy: GateParams, challenger: ModelRecord, champion: ModelRecord | None) -> Decision:
    """Judge a challenger.

    It is accepted when it is neither sick nor quarantined, when every score the policy names is a finite number within
    its limits, and when it is better than the champion, under the same protocol, by more than chance and by the asked
    share. Mode `enabled` promotes an accepted one, `dry_run` only says so, `disabled` does not judge.
    """
    if policy.mode == "disabled":
        return Decision(False, "not judged", ("gate.mode is 'disabled': nothing is judged and nothing moves",))
    if champion is not None and champion.version == challenger.version:
        return Decision(False, "already champion", (f"version {challenger.version} is the champion already",))
    findings = _Findings()
    if challenger.quarantined:
        findings.note(False, f"it was quarantined before: {challenger.quarantined}")
    if challenger.sick:
        findings.note(False, "its training was sick when it ended; a sick run is never promoted")
    own = challenger.measured[0] if challenger.measured else ProtocolScores({}, {})
    _check_scores(policy, own, findings)
    if champion is None:
        findings.note(True, "there is no champion yet")
    elif _finite(own.scores, policy.score) is not None:
        _check_improvement(policy, own, champion, findings)
    accepted = not findings.against_it
    reasons = [*findings.against_it, *findings.for_it]
    if policy.mode == "dry_run":
        reasons.append("a dry run: nothing moves")
    return Decision(accepted and policy.mode == "enabled", "accepted" if accepted else "refused", tuple(reasons))


def _check_scores(policy: GateParams, own: ProtocolScores, findings: _Findings) -> None:
    for key in dict.fromkeys((policy.score, *policy.limits)):
        title, value = describe(key).title, _finite(own.scores, key)
        if value is None:
            findings.note(False, f"its {title} is missing or no finite number")
            continue
        limit = policy.limits.get(key)
        if limit is not None and limit.max is not None:
            findings.note(value <= limit.max, f"{title} {number(value)}, at most {number(limit.max)} is asked")
        if limit is not None and limit.min is not None:
            findings.note(value >= limit.min, f"{title} {number(value)}, at least {number(limit.min)} is asked")


def _check_improvement(policy: GateParams, own: ProtocolScores, champion: ModelRecord, findings: _Findings) -> None:
    key, shown = policy.score, describe(policy.score)
    other = champion.under(own.digest)
    who = f"the champion (version {champion.version})"
    if other is None:
        findings.note(False, f"its scores and those of {who} do not compare: {_difference(own, champion)}")
        return
    value, its = _estimate(own.scores, key), _estimate(other.scores, key)
    if value is None or its is None or shown.better is None:
        findings.note(False, f"the {shown.title} of {who} is missing or no finite number, so nothing can be compared")
        return
    sentence = f"{shown.title} {shown.show(own.scores)} against {shown.show(other.scores)} of {who}"
    verdict = judge(value, its, shown.better, policy.sigmas)
    if verdict == "worse":
        findings.note(False, f"{sentence}: not better")
    elif verdict == "cannot tell":
        findings.note(False, f"{sentence}: one cannot tell whether it is better; it may be chance")
    elif abs(value.value - its.value) < policy.min_improvement * abs(its.value):
        findings.note(False, f"{sentence}: better by less than the asked {policy.min_improvement:.1%}")
    else:
        findings.note(True, f"{sentence}: better")


def _difference(own: ProtocolScores, champion: ModelRecord) -> str:
    """Which fields of the two protocols differ, in words."""
    other = champion.measured[0].protocol if champion.measured else {}
    keys = [key for key in own.protocol if key != "digest" and own.protocol.get(key) != other.get(key)]
    if not own.digest or not other:
        return "a protocol is missing"
    shown = (f"{key} {_short(own.protocol[key])}, not {_short(other.get(key))}" for key in keys)
    return "another protocol (" + ("; ".join(shown) or "digests differ") + ")"


def _short(value: object) -> str:
    return str(value)[:16]


def _estimate(scores: Mapping[str, float], key: str) -> Estimate | None:
    value = _finite(scores, key)
    return None if value is None else Estimate(value, _finite(scores, key + ERROR_SUFFIX))


def _finite(scores: Mapping[str, float], key: str) -> float | None:
    value = scores.get(key)
    return float(value) if isinstance(value, int | float) and isfinite(value) else None
