"""Whether a challenger may become champion: one pure function of scores and policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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


def decide(policy: GateParams, challenger: ModelRecord, champion: ModelRecord | None) -> Decision:
    """Judge a challenger.

    It is accepted when it can be used, is healthy and not quarantined, when its own scores have every metric that the
    policy requires and break no limit by more than their uncertainty, and when it is better than the champion, under
    the same protocol, by more than its uncertainty and by the required share. A champion that cannot be loaded is not
    compared with.
    Mode `enabled` promotes an accepted one, `dry_run` only reports it, `disabled` does not judge.
    """
    if policy.mode == "disabled":
        disabled = Finding("disabled", True, "gate.mode is 'disabled': nothing is judged")
        return Decision(False, "not judged", (disabled,))
    if champion is not None and champion.version == challenger.version and not champion.broken:
        reason = f"version {challenger.version} is the champion already"
        return Decision(False, "already champion", (Finding("already-champion", True, reason),))
    metric = challenger.metric if policy.metric == AUTO else policy.metric
    found = [
        *_of_condition(challenger),
        *_of_scores(policy, metric, challenger.own),
        *_of_champion(policy, metric, challenger, champion),
    ]
    found.sort(key=lambda finding: finding.passed)
    accepted = all(finding.passed for finding in found)
    if policy.mode == "dry_run":
        found.append(Finding("dry-run", True, "dry run: nothing changes"))
    return Decision(accepted and policy.mode == "enabled", "accepted" if accepted else "refused", tuple(found))


def _of_condition(challenger: ModelRecord) -> Iterator[Finding]:
    if challenger.broken:
        yield Finding("unusable", False, f"it cannot be used: {challenger.broken}")
    if challenger.quarantined:
        yield Finding("quarantined", False, f"it was quarantined before: {challenger.quarantined}")
    if challenger.unhealthy:
        yield Finding("unhealthy", False, "its training ended unhealthy; such a model is never promoted")


def _of_scores(policy: GateParams, metric: str, own: Scores) -> Iterator[Finding]:
    if not metric:
        yield Finding("unknown-metric", False, "its default metric is not recorded; set gate.metric")
    required = (metric, *(key for key, limit in policy.limits.items() if not limit.if_measured))
    for key in dict.fromkeys(required):
        if key and key not in own:
            yield Finding("missing-metric", False, f"it has no {_name(key)}; it has: {', '.join(own) or 'no scores'}")
    for key, limit in policy.limits.items():
        if key in own:
            yield from _of_limit(title_of(key), own[key], limit, policy.sigmas)
        elif limit.if_measured:
            yield Finding("not-measured", True, f"{title_of(key)} was not measured, so its limit does not count")


def _of_limit(title: str, score: Estimate, limit: Limit, sigmas: float) -> Iterator[Finding]:
    doubt = sigmas * (score.error or 0.0)
    for bound, word, excess in (
        (limit.max, "at most", score.value - (limit.max or 0.0)),
        (limit.min, "at least", (limit.min or 0.0) - score.value),
    ):
        if bound is not None:
            within = f" (exceeded by less than {sigmas:g} standard errors)" if 0 < excess <= doubt else ""
            reason = f"{title} {show(score)}, limit: {word} {number(bound)}{within}"
            yield Finding("limit", excess <= doubt, reason)


def _of_champion(
    policy: GateParams, metric: str, challenger: ModelRecord, champion: ModelRecord | None
) -> Iterator[Finding]:
    if champion is None:
        yield Finding("first-champion", True, "there is no champion yet")
        return
    who = f"the champion (version {champion.version})"
    for code, subject, own, its in (
        ("other-data", "data", challenger.data, champion.data),
        ("other-task", "task", challenger.task, champion.task),
    ):
        if own and its and own != its:
            reason = f"{who} belongs to another {subject}: {its}, not {own}; use another registered model"
            yield Finding(code, False, f"{reason} (tracking.model)")
            return
    if champion.broken:
        yield Finding("champion-unusable", True, f"{who} cannot be used: {champion.broken}")
    elif metric in challenger.own:
        yield _improvement(policy, metric, challenger.own, champion, who)


def _improvement(policy: GateParams, metric: str, own: Scores, champion: ModelRecord, who: str) -> Finding:
    title, better = title_of(metric), _better(metric)
    if better is None:
        return Finding("no-direction", False, f"neither a lower nor a higher {title} is better; set gate.metric")
    other = champion.comparable(own, metric)
    if other is None:
        reason = _difference(own, champion.own, metric)
        return Finding("not-comparable", False, f"its {title} and that of {who} do not compare: {reason}")
    sentence = f"{title} {show(own[metric])} against {show(other[metric])} of {who}"
    verdict = judge(own[metric], other[metric], better, policy.sigmas)
    if verdict == "worse":
        return Finding("worse", False, f"{sentence}: not better")
    if verdict == "cannot tell":
        doubt = f"the difference is within {policy.sigmas:g} standard errors"
        return Finding("cannot-tell", False, f"{sentence}: {doubt}")
    if abs(own[metric].value - other[metric].value) < policy.min_improvement * abs(other[metric].value):
        return Finding("too-little", False, f"{sentence}: better by less than {policy.min_improvement:.1%}")
    return Finding("better", True, f"{sentence}: better")


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
