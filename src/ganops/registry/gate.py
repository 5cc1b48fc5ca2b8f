"""Whether a challenger may become champion: one pure function of scores and policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ganops.errors import SettingsError
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.metric import Better
from ganops.evaluation.metric_names import describe
from ganops.evaluation.scores import NO_SCORES, Scores
from ganops.evaluation.verdict import judge
from ganops.params import AUTO, GateParams, Limit
from ganops.reporting.scores import number, show

Verdict = Literal["accepted", "refused", "already champion", "not judged"]
SHOWN = 16  # characters of a protocol value in a reason


@dataclass(frozen=True)
class ModelRecord:
    """All that counts for or against a model version.

    measured: its scores, once per protocol; the first are those it was registered with. metric: the default metric of
    its game. data, task: what it was trained on and for; empty where that is not known.
    unhealthy: its training ended unhealthy. quarantined: why it was rejected before; empty if it was not.
    broken: why it cannot be used (missing or altered files, failed smoke test); empty if it can.
    """

    version: str
    measured: tuple[Scores, ...] = ()
    metric: str = ""
    data: str = ""
    task: str = ""
    unhealthy: bool = False
    quarantined: str = ""
    broken: str = ""

    @property
    def own(self) -> Scores:
        """The scores it was registered with."""
        return self.measured[0] if self.measured else NO_SCORES

    def comparable(self, other: Scores, key: str) -> Scores | None:
        """Its scores under the protocol by which `other` measured the metric."""
        return next((scores for scores in self.measured if scores.comparable(other, key)), None)


@dataclass(frozen=True)
class Finding:
    """One thing the gate has looked at: a stable code, whether it speaks for the challenger, and a sentence."""

    code: str
    passed: bool
    reason: str


@dataclass(frozen=True)
class Decision:
    """promote: the champion alias may move. verdict: what the gate found. findings: failures first."""

    promote: bool
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The findings as sentences."""
        return tuple(finding.reason for finding in self.findings)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the findings."""
        return tuple(finding.code for finding in self.findings)


@dataclass
class _Findings:
    found: list[Finding] = field(default_factory=list)

    def add(self, code: str, passed: bool, reason: str) -> None:
        self.found.append(Finding(code, passed, reason))

    def sorted(self) -> list[Finding]:
        return sorted(self.found, key=lambda finding: finding.passed)


def decide(policy: GateParams, challenger: ModelRecord, champion: ModelRecord | None) -> Decision:
    """Judge a challenger.

    It is accepted when it can be used, is healthy and not quarantined, when its own scores have every metric that the
    policy requires and break no limit by more than their uncertainty, and when it is better than the champion, under
    the same protocol, by more than its uncertainty and by the required share. A champion that cannot be loaded is not
    compared with.
    Mode `enabled` promotes an accepted one, `dry_run` only reports it, `disabled` does not judge.
    """
    if policy.mode == "disabled":
        return _decision(False, "not judged", Finding("disabled", True, "gate.mode is 'disabled': nothing is judged"))
    if champion is not None and champion.version == challenger.version and not champion.broken:
        reason = f"version {challenger.version} is the champion already"
        return _decision(False, "already champion", Finding("already-champion", True, reason))
    findings = _Findings()
    _check_condition(challenger, findings)
    metric = challenger.metric if policy.metric == AUTO else policy.metric
    _check_scores(policy, metric, challenger.own, findings)
    _check_champion(policy, metric, challenger, champion, findings)
    found = findings.sorted()
    accepted = all(finding.passed for finding in found)
    if policy.mode == "dry_run":
        found.append(Finding("dry-run", True, "dry run: nothing changes"))
    return _decision(accepted and policy.mode == "enabled", "accepted" if accepted else "refused", *found)


def _decision(promote: bool, verdict: Verdict, *findings: Finding) -> Decision:
    return Decision(promote, verdict, findings)


def _check_condition(challenger: ModelRecord, findings: _Findings) -> None:
    if challenger.broken:
        findings.add("unusable", False, f"it cannot be used: {challenger.broken}")
    if challenger.quarantined:
        findings.add("quarantined", False, f"it was quarantined before: {challenger.quarantined}")
    if challenger.unhealthy:
        findings.add("unhealthy", False, "its training ended unhealthy; such a model is never promoted")


def _check_scores(policy: GateParams, metric: str, own: Scores, findings: _Findings) -> None:
    if not metric:
        findings.add("unknown-metric", False, "its default metric is not recorded; set gate.metric")
    required = (metric, *(key for key, limit in policy.limits.items() if not limit.if_measured))
    for key in dict.fromkeys(required):
        if key and key not in own:
            findings.add("missing-metric", False, f"it has no {_name(key)}; it has: {', '.join(own) or 'no scores'}")
    for key, limit in policy.limits.items():
        if key in own:
            _check_limit(title_of(key), own[key], limit, policy.sigmas, findings)
        elif limit.if_measured:
            findings.add("not-measured", True, f"{title_of(key)} was not measured, so its limit does not count")


def _check_limit(title: str, score: Estimate, limit: Limit, sigmas: float, findings: _Findings) -> None:
    doubt = sigmas * (score.error or 0.0)
    for bound, word, excess in (
        (limit.max, "at most", score.value - (limit.max or 0.0)),
        (limit.min, "at least", (limit.min or 0.0) - score.value),
    ):
        if bound is not None:
            within = f" (exceeded by less than {sigmas:g} standard errors)" if 0 < excess <= doubt else ""
            reason = f"{title} {show(score)}, limit: {word} {number(bound)}{within}"
            findings.add("limit", excess <= doubt, reason)


def _check_champion(
    policy: GateParams, metric: str, challenger: ModelRecord, champion: ModelRecord | None, findings: _Findings
) -> None:
    if champion is None:
        findings.add("first-champion", True, "there is no champion yet")
        return
    who = f"the champion (version {champion.version})"
    for code, subject, own, its in (
        ("other-data", "data", challenger.data, champion.data),
        ("other-task", "task", challenger.task, champion.task),
    ):
        if own and its and own != its:
            reason = f"{who} belongs to another {subject}: {its}, not {own}; use another registered model"
            findings.add(code, False, f"{reason} (tracking.model)")
            return
    if champion.broken:
        findings.add("champion-unusable", True, f"{who} cannot be used: {champion.broken}")
    elif metric in challenger.own:
        _check_improvement(policy, metric, challenger.own, champion, who, findings)


def _check_improvement(
    policy: GateParams, metric: str, own: Scores, champion: ModelRecord, who: str, findings: _Findings
) -> None:
    title, better = title_of(metric), _better(metric)
    if better is None:
        findings.add("no-direction", False, f"neither a lower nor a higher {title} is better; set gate.metric")
        return
    other = champion.comparable(own, metric)
    if other is None:
        reason = _difference(own, champion.own, metric)
        findings.add("not-comparable", False, f"its {title} and that of {who} do not compare: {reason}")
        return
    sentence = f"{title} {show(own[metric])} against {show(other[metric])} of {who}"
    verdict = judge(own[metric], other[metric], better, policy.sigmas)
    gain = abs(own[metric].value - other[metric].value)
    if verdict == "worse":
        findings.add("worse", False, f"{sentence}: not better")
    elif verdict == "cannot tell":
        findings.add("cannot-tell", False, f"{sentence}: the difference is within {policy.sigmas:g} standard errors")
    elif gain < policy.min_improvement * abs(other[metric].value):
        findings.add("too-little", False, f"{sentence}: better by less than {policy.min_improvement:.1%}")
    else:
        findings.add("better", True, f"{sentence}: better")


def _difference(own: Scores, its: Scores, metric: str) -> str:
    """The protocol values that differ, as text."""
    if metric not in its or not its.digest(metric):
        return "the champion was not scored under this protocol"
    names = its.differences(own, metric)
    shown = (f"{name} {str(theirs)[:SHOWN]} there, {str(mine)[:SHOWN]} here" for name, (theirs, mine) in names.items())
    return "other protocols (" + ("; ".join(shown) or "one of them is missing") + ")"


def _name(key: str) -> str:
    title = title_of(key)
    return f"'{key}'" if title == key else f"{title} ('{key}')"


def title_of(key: str) -> str:
    """The title of a metric; the key itself where no metric has it."""
    try:
        return describe(key).title
    except SettingsError:
        return key


def _better(key: str) -> Better | None:
    try:
        return describe(key).better
    except SettingsError:
        return None
