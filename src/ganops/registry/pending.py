"""Changes of champion, written down before they begin, so that an interrupted one can be completed exactly once.

The note is a tag of the registered model. Every step writes what the note says and may be repeated; the last step
removes the note.
"""

from __future__ import annotations

import secrets

from pydantic import AwareDatetime, Field, ValidationError

from ganops.registry.history import Entry, Event, now, record
from ganops.registry.versions import CHAMPION, PREVIOUS, QUARANTINED, RECIPE, Versions
from ganops.settings import Settings
from ganops.tracking.describe import user_name
from ganops.tracking.outbox import warn

PENDING = "promotion.pending"


class PendingPromotion(Settings):
    """A change of champion from `former` to `version`; previous-champion names `becomes_previous` afterwards."""

    key: str
    at: AwareDatetime
    event: Event
    version: str
    former: str | None
    becomes_previous: str | None
    by: str
    reasons: tuple[str, ...] = Field(min_length=1)


def note_promotion(
    versions: Versions, event: Event, version: str, becomes_previous: str | None, reasons: tuple[str, ...]
) -> PendingPromotion:
    """Write down that `version` is about to become champion."""
    at = now()
    pending = PendingPromotion(
        key=f"{at:%Y%m%dT%H%M%S.%f}Z.{secrets.token_hex(3)}",
        at=at,
        event=event,
        version=version,
        former=versions.at(CHAMPION),
        becomes_previous=becomes_previous,
        by=user_name(),
        reasons=tuple(reason[:400] for reason in reasons[:8]),  # a tag holds 5000 characters
    )
    versions.set_tag(PENDING, pending.model_dump_json())
    return pending


def carry_out(versions: Versions, pending: PendingPromotion) -> None:
    """Set both aliases, record the history, set or clear the quarantine, and remove the note."""
    # previous-champion first: a kill between the two aliases leaves the old champion in place.
    previous = pending.becomes_previous
    versions.set_alias(PREVIOUS, previous if previous is not None and versions.find(previous) else None)
    versions.set_alias(CHAMPION, pending.version)
    entry = Entry(
        at=pending.at,
        event=pending.event,
        version=pending.version,
        former=pending.former,
        by=pending.by,
        recipe=str(versions.get(pending.version).tags.get(RECIPE, "")),
        reasons=pending.reasons,
    )
    record(versions, pending.key, entry)
    if pending.event == "promoted":
        versions.mark(pending.version, {QUARANTINED: ""})
    elif pending.former is not None and versions.find(pending.former):
        versions.mark(pending.former, {QUARANTINED: pending.reasons[0]})
    versions.set_tag(PENDING, None)


def complete_interrupted(versions: Versions) -> PendingPromotion | None:
    """Complete the change that a killed process has left unfinished; what was completed.

    It is dropped where its note cannot be read, its version was deleted, or somebody has set another champion since.
    """
    note = versions.tags().get(PENDING)
    if not note:
        return None
    try:
        pending = PendingPromotion.model_validate_json(note)
    except ValidationError:
        warn(f"the tag {PENDING} of the model '{versions.model}' cannot be read and is removed: {note[:100]}")
        versions.set_tag(PENDING, None)
        return None
    subject = f"the change of champion to version {pending.version} was interrupted"
    if versions.find(pending.version) is None:
        reason = "that version was deleted since"
    elif versions.at(CHAMPION) not in (pending.version, pending.former):
        reason = "another version is champion since"
    else:
        warn(f"{subject}; it is completed now")
        carry_out(versions, pending)
        return pending
    warn(f"{subject} and is dropped: {reason}")
    versions.set_tag(PENDING, None)
    return None
