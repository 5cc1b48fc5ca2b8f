"""Moves of the champion alias: written down before they begin, so that one that was interrupted can be completed.

The note is a tag of the registered model, struck out when the move has ended. A process that is killed in between
leaves it, and the next promotion or rollback completes the move first: each of its steps may be done twice.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Literal

from ganops.registry.history import Entry, now, record
from ganops.registry.smoke import smoke_test
from ganops.registry.versions import CHAMPION, PREVIOUS, QUARANTINED, Versions
from ganops.settings import Settings
from ganops.tracking.describe import user_name
from ganops.tracking.outbox import warn

PENDING = "promotion.pending"


class PendingPromotion(Settings):
    """A change of champion: from `former` to `version`; `previous` is what previous-champion named before."""

    key: str
    at: datetime
    event: Literal["promoted", "rolled back"]
    version: str
    former: str | None
    previous: str | None
    becomes_previous: str | None
    by: str
    reasons: tuple[str, ...]


def note_promotion(
    versions: Versions,
    event: Literal["promoted", "rolled back"],
    version: str,
    becomes_previous: str | None,
    reasons: tuple[str, ...],
) -> PendingPromotion:
    """Write down that `version` is about to become champion, and what previous-champion is to name then."""
    at = now()
    move = PendingPromotion(
        key=f"{at:%Y%m%dT%H%M%S.%f}Z.{secrets.token_hex(3)}",
        at=at,
        event=event,
        version=version,
        former=versions.at(CHAMPION),
        previous=versions.at(PREVIOUS),
        becomes_previous=becomes_previous,
        by=user_name(),
        reasons=tuple(reason[:400] for reason in reasons[:8]),  # a tag holds 5000 characters
    )
    versions.set_tag(PENDING, move.model_dump_json())
    return move


def carry_out(versions: Versions, move: PendingPromotion) -> str:
    """Do what was written down, every step of which may have been done before; what the smoke test found wrong."""
    # previous-champion first: whoever is killed between the two aliases leaves the old champion in place.
    versions.set_alias(PREVIOUS, move.becomes_previous)
    versions.set_alias(CHAMPION, move.version)
    entry = Entry(
        at=move.at,
        event=move.event,
        version=move.version,
        former=move.former,
        by=move.by,
        recipe=versions.recipe(move.version),
        reasons=move.reasons,
    )
    record(versions, move.key, entry)
    failure = smoke_test(versions.store, f"{versions.uri}/{move.version}") if move.event == "promoted" else ""
    if failure:
        _take_back(versions, move, failure)
    elif move.event == "rolled back" and move.former is not None:
        versions.mark(move.former, {QUARANTINED: move.reasons[0]})
    else:
        versions.mark(move.version, {QUARANTINED: ""})
    versions.set_tag(PENDING, None)
    return failure


def _take_back(versions: Versions, move: PendingPromotion, failure: str) -> None:
    """Restore both aliases as they were before the move."""
    versions.mark(move.version, {QUARANTINED: f"its smoke test failed: {failure}"})
    versions.set_alias(CHAMPION, move.former)
    versions.set_alias(PREVIOUS, move.previous)
    entry = Entry(
        at=now(),
        event="quarantined",
        version=move.former,
        former=move.version,
        by=move.by,
        recipe=versions.recipe(move.former) if move.former is not None else "",
        reasons=(f"smoke test: {failure}",),
    )
    record(versions, f"{move.key}.quarantined", entry)


def complete_interrupted_promotion(versions: Versions) -> None:
    """Finish the move that a killed process has left half done, unless somebody has set the champion by hand since."""
    note = versions.tags().get(PENDING)
    if not note:
        return
    move = PendingPromotion.model_validate_json(note)
    if versions.at(CHAMPION) in (move.version, move.former):
        warn(f"a move of the champion to version {move.version} was interrupted; it is completed now")
        carry_out(versions, move)
    else:
        warn(f"a move of the champion to version {move.version} was interrupted; the champion is another one by now")
        versions.set_tag(PENDING, None)
