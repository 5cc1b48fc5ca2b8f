"""Who was champion from when to when: one tag of the registered model per event, written once and never changed.

MLflow keeps no history of aliases; these tags do, in its own database, so they survive what it survives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import ValidationError

from ganops.registry.versions import Versions
from ganops.settings import Settings

PREFIX = "history."
LONGEST = 5000  # characters in a tag of a registered model

Event = Literal["promoted", "rolled back", "quarantined"]


class Entry(Settings):
    """One change of champion.

    at: UTC. event: promoted through the gate, rolled back by a person, or quarantined after a failed smoke test.
    version: the champion from then on; None when there was none to go back to. former: the champion before.
    """

    at: datetime
    event: Event
    version: str | None
    former: str | None
    by: str = ""
    recipe: str = ""
    reasons: tuple[str, ...] = ()


class ChampionPeriod(Settings):
    """A time in which one version was champion; `until` is None while it lasts, `ended` the event that ended it."""

    version: str
    recipe: str
    since: datetime
    until: datetime | None = None
    began: Event
    ended: Event | None = None
    reasons: tuple[str, ...] = ()


def record(versions: Versions, key: str, entry: Entry) -> None:
    """Append an entry; the same key again writes the same entry again, so that a repeated move adds nothing."""
    versions.set_tag(PREFIX + key, entry.model_dump_json())


def entries(versions: Versions) -> list[Entry]:
    """All entries, the oldest first; tags that somebody else wrote under this prefix are left out."""
    found = []
    for key, value in versions.tags().items():
        if key.startswith(PREFIX):
            try:
                found.append((Entry.model_validate_json(value), key))
            except ValidationError:
                continue
    return [entry for entry, _ in sorted(found, key=lambda pair: (pair[0].at, pair[1]))]


def champion_periods(found: Sequence[Entry]) -> list[ChampionPeriod]:
    """The times of each champion, the oldest first."""
    times: list[ChampionPeriod] = []
    for entry in found:
        if times and times[-1].until is None:
            times[-1] = times[-1].model_copy(update={"until": entry.at, "ended": entry.event})
        if entry.version is not None:
            times.append(
                ChampionPeriod(
                    version=entry.version,
                    recipe=entry.recipe,
                    since=entry.at,
                    began=entry.event,
                    reasons=entry.reasons,
                )
            )
    return times


def champion_before(found: Sequence[Entry], version: str) -> str | None:
    """Whom `version` followed when it was last promoted."""
    return next(
        (entry.former for entry in reversed(found) if entry.version == version and entry.event == "promoted"), None
    )


def now() -> datetime:
    """The time in UTC, in the resolution that entries keep."""
    return datetime.now(UTC)
