"""Promotion and rollback: smoke test first, then the gate, then the alias; every change of champion is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ganops.errors import GanopsError, RegistryError
from ganops.params import AUTO, Params
from ganops.registry.gate import Decision, Finding, ModelRecord, decide
from ganops.registry.history import LONGEST, champion_before, entries
from ganops.registry.lease import promotion_turn
from ganops.registry.load import package_digest, problem_with, registered
from ganops.registry.naming import registered_name
from ganops.registry.pending import PendingPromotion, carry_out, complete_interrupted, note_promotion
from ganops.registry.rescore import rescore
from ganops.registry.signature import SIGNATURE, sign, signs
from ganops.registry.smoke import smoke_test
from ganops.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, QUARANTINED, Versions
from ganops.tracking.describe import user_name
from ganops.tracking.location import redact
from ganops.tracking.outbox import warn
from ganops.tracking.store import connect
from ganops.workspace import Workspace


@dataclass(frozen=True)
class Promotion:
    """The result of a promotion.

    version: the challenger; former: the champion before, None for the first one.
    moved: whether the challenger is champion now. failure: why its smoke test failed; empty unless it did.
    """

    decision: Decision
    version: str
    former: str | None
    moved: bool
    failure: str = ""


def promote(
    params: Params, version: str | None = None, *, dry_run: bool = False, workspace: Workspace | None = None
) -> Promotion:
    """Test a version, put it before the gate and, where it is accepted, make it champion.

    version: by default the challenger. One that is named was chosen by a person: an earlier quarantine does not count,
    and a champion of the time before there was a key is signed.
    dry_run: judge and change nothing. workspace: where reference and prepared data are; with it a champion that was
    scored under another protocol is scored again under the challenger's, without it the gate refuses to compare.
    Where this very promotion was interrupted before, it is completed, and nothing else is done.
    Raises RegistryError when the version does not exist.
    """
    with promotion_turn(Versions(connect(), registered_name(params))) as versions:
        completed = None if dry_run else complete_interrupted(versions)
        challenger = _challenger(versions, version)
        if completed and (completed.event, completed.version) == ("promoted", challenger.version):
            return _completed(completed)
        former = versions.at(CHAMPION)
        champion = versions.record(former) if former is not None else None
        policy = params.gate
        if dry_run and policy.mode == "enabled":
            policy = policy.model_copy(update={"mode": "dry_run"})
        failure = ""
        if policy.mode != "disabled":
            if champion is not None:
                champion = replace(champion, broken=problem_with(f"{versions.uri}/{champion.version}"))
            if champion is not None and champion.version == challenger.version:
                challenger = replace(challenger, broken=champion.broken)
            elif not challenger.quarantined:
                failure = smoke_test(f"{versions.uri}/{challenger.version}")
                challenger = replace(challenger, broken=f"its smoke test failed: {failure}" if failure else "")
            if champion is not None and workspace is not None:
                champion = _comparable(versions, challenger, champion, params, workspace)
        decision = decide(policy, challenger, champion)
        if policy.mode == "enabled":
            _mark(versions, challenger, decision, failure)
        confirmed = version is not None and decision.verdict == "already champion" and policy.mode == "enabled"
        if decision.promote or confirmed:
            sign_version(versions, challenger.version)
        if decision.promote:
            usable = champion is not None and not champion.broken
            previous = former if usable else versions.at(PREVIOUS)
            pending = note_promotion(versions, "promoted", challenger.version, previous, decision.reasons)
            carry_out(versions, pending)
        return Promotion(decision, challenger.version, former, moved=decision.promote, failure=failure)


def rollback(params: Params, reason: str = "") -> tuple[str, str | None]:
    """Make the previous champion champion again and quarantine the present one; (champion now, champion before).

    The previous champion is tested first. The quarantined version is not promoted again unless somebody names it. A
    second rollback leads to the champion before the previous one, as far as the history knows it. Where a rollback was
    interrupted before, it is completed, and nothing else is done.
    Raises RegistryError when there is no previous champion, or when it does not work.
    """
    with promotion_turn(Versions(connect(), registered_name(params))) as versions:
        completed = complete_interrupted(versions)
        if completed and completed.event == "rolled back":
            return completed.version, completed.former
        target, former = versions.at(PREVIOUS), versions.at(CHAMPION)
        if target is None or target == former:
            raise RegistryError(
                f"the model '{versions.model}' has no previous champion",
                code="no-previous-champion",
                action="`ganops history` lists all champions; `ganops promote VERSION` makes one of them champion",
            )
        failure = smoke_test(f"{versions.uri}/{target}")
        if failure:
            raise RegistryError(
                f"version {target} of '{versions.model}', the previous champion, does not work; nothing was changed",
                code="target-broken",
                found=failure,
                action="`ganops history` lists other champions; `ganops promote VERSION` makes one of them champion",
            )
        sign_version(versions, target)
        before = champion_before(entries(versions), target)
        reasons = (reason or f"rolled back by {user_name()}",)
        pending = note_promotion(versions, "rolled back", target, before if before != former else None, reasons)
        carry_out(versions, pending)
        return target, former


def sign_version(versions: Versions, version: str) -> None:
    """Sign a version that is about to become champion, where a key is configured; raises as `sign` does."""
    if not signs():
        return
    package = registered(f"{versions.uri}/{version}", signed=False).package
    versions.mark(version, {SIGNATURE: sign(versions.model, version, package_digest(package))})


def _completed(pending: PendingPromotion) -> Promotion:
    findings = tuple(Finding("completed", True, reason) for reason in pending.reasons)
    return Promotion(Decision(True, "accepted", findings), pending.version, pending.former, moved=True)


def _challenger(versions: Versions, version: str | None) -> ModelRecord:
    if version is not None:
        return replace(versions.record(version), quarantined="")
    challenger = versions.at(CHALLENGER)
    if challenger is None:
        raise RegistryError(
            f"the model '{versions.model}' has no challenger",
            code="no-challenger",
            found=redact(versions.store.uri),
            action="`dvc repro` trains and registers one",
        )
    return versions.record(challenger)


def _comparable(
    versions: Versions, challenger: ModelRecord, champion: ModelRecord, params: Params, workspace: Workspace
) -> ModelRecord:
    """The champion with scores under the challenger's protocol, measured now where they are missing."""
    metric = challenger.metric if params.gate.metric == AUTO else params.gate.metric
    if (
        metric not in challenger.own
        or champion.comparable(challenger.own, metric)
        or champion.version == challenger.version
        or champion.broken
        or challenger.broken
        or (champion.data, champion.task) != (challenger.data, challenger.task)
        or not (workspace.reference.is_dir() and workspace.prepared.is_dir())
    ):
        return champion
    try:
        scores = rescore(versions, champion.version, params, workspace)
    except GanopsError as error:
        warn(f"the champion cannot be scored under the challenger's protocol: {error.message}")
        return champion
    return replace(champion, measured=(*champion.measured, scores))


def _mark(versions: Versions, challenger: ModelRecord, decision: Decision, failure: str) -> None:
    """Keep the verdict with the version; one that failed its smoke test is not tried again by a schedule."""
    if decision.verdict not in ("accepted", "refused"):
        return
    tags = {"gate.verdict": decision.verdict, "gate.reasons": "; ".join(decision.reasons)[:LONGEST]}
    versions.mark(challenger.version, tags | ({QUARANTINED: challenger.broken} if failure else {}))
