"""Promotion through the gate, and the way back: there is always a champion, and every change of it is remembered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ganops.errors import GanopsError, RegistryError
from ganops.params import Params
from ganops.registry.gate import Decision, ModelRecord, decide
from ganops.registry.history import LONGEST, champion_before, entries
from ganops.registry.pending import carry_out, complete_interrupted_promotion, note_promotion
from ganops.registry.rescore import rescore
from ganops.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, Versions
from ganops.tracking.describe import user_name
from ganops.tracking.location import store_lock
from ganops.tracking.outbox import warn
from ganops.tracking.store import connect


@dataclass(frozen=True)
class Promotion:
    """What a promotion came to.

    version: the challenger; former: the champion before, None for the first one.
    moved: whether the challenger is champion now. failure: what its smoke test said where it is not.
    """

    decision: Decision
    version: str
    former: str | None
    moved: bool
    failure: str = ""


def promote(
    params: Params,
    version: str | None = None,
    *,
    dry_run: bool = False,
    reference: Path | None = None,
    prepared: Path | None = None,
) -> Promotion:
    """Put a version before the gate and, where it is let through, make it champion and test it there.

    version: by default the challenger. One that is named was chosen by a person: an earlier withdrawal does not count.
    dry_run: judge and change nothing. reference, prepared: folders with which a champion that was scored under another
    protocol is scored again under the challenger's; without them the gate refuses to compare.
    Raises RegistryError when there is no such version.
    """
    versions = Versions(connect(), params.tracking.model)
    with store_lock(versions.store.uri, "promotion"):
        if not dry_run:
            complete_interrupted_promotion(versions)
        challenger = _challenger(versions, version)
        former = versions.at(CHAMPION)
        champion = versions.record(former) if former is not None else None
        if champion is not None and reference is not None and prepared is not None and params.gate.mode != "disabled":
            champion = _comparable(versions, challenger, champion, params, reference, prepared)
        policy = params.gate
        if dry_run and policy.mode == "enabled":
            policy = policy.model_copy(update={"mode": "dry_run"})
        decision = decide(policy, challenger, champion)
        if decision.verdict in ("accepted", "refused") and policy.mode == "enabled":
            reasons = "; ".join(decision.reasons)
            versions.mark(challenger.version, {"gate.verdict": decision.verdict, "gate.reasons": reasons[:LONGEST]})
        if not decision.promote:
            return Promotion(decision, challenger.version, former, moved=False)
        becomes_previous = former if former is not None else versions.at(PREVIOUS)
        move = note_promotion(versions, "promoted", challenger.version, becomes_previous, decision.reasons)
        failure = carry_out(versions, move)
        return Promotion(decision, challenger.version, former, moved=not failure, failure=failure)


def rollback(params: Params, reason: str = "") -> tuple[str, str | None]:
    """Make the previous champion champion again and withdraw the present one; (champion now, champion before).

    The quarantined version is not promoted again unless somebody names it. Going back twice leads to the champion before
    the previous one, as far as the history knows it. Raises RegistryError when there is none to go back to.
    """
    versions = Versions(connect(), params.tracking.model)
    with store_lock(versions.store.uri, "promotion"):
        complete_interrupted_promotion(versions)
        target, former = versions.at(PREVIOUS), versions.at(CHAMPION)
        if target is None or target == former:
            raise RegistryError(
                f"the model '{versions.model}' has no previous champion to go back to",
                action="`ganops history` lists all champions; `ganops promote VERSION` makes one of them champion",
            )
        before = champion_before(entries(versions), target)
        reasons = (reason or f"rolled back by {user_name()}",)
        move = note_promotion(versions, "rolled back", target, before if before != former else None, reasons)
        carry_out(versions, move)
        return target, former


def _challenger(versions: Versions, version: str | None) -> ModelRecord:
    if version is not None:
        return replace(versions.record(version), quarantined="")
    challenger = versions.at(CHALLENGER)
    if challenger is None:
        raise RegistryError(
            f"the model '{versions.model}' has no challenger",
            found=versions.store.uri,
            action="`dvc repro` trains and registers one",
        )
    return versions.record(challenger)


def _comparable(
    versions: Versions, challenger: ModelRecord, champion: ModelRecord, params: Params, reference: Path, prepared: Path
) -> ModelRecord:
    """The champion with scores under the challenger's protocol, measured now where it has none."""
    wanted = challenger.measured[0].digest if challenger.measured else ""
    if not wanted or champion.under(wanted) or champion.version == challenger.version:
        return champion
    try:
        rescore(versions, champion.version, params, reference, prepared)
    except GanopsError as error:
        warn(f"the champion cannot be scored under the challenger's protocol: {error.message}")
    return versions.record(champion.version)
