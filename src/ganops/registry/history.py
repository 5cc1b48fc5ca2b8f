"""Who was champion from when to when: one tag of the registered model per event, written once and never changed.

MLflow keeps no history of aliases; these tags do, in its own database. The aliases remain the truth: where the tags
do not agree with them, or with each other, because somebody edited them, the history says that it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, ValidationError

from ganops.registry.versions import CHAMPION, RECIPE, Versions
from ganops.settings import Settings

PREFIX = "history."
LONGEST = 5000  # characters in a tag of a registered model

Event = Literal["promoted", "rolled back"]


class Entry(Settings):
    """One change of champion.

    at: UTC. event: promoted through the gate, or rolled back by a person. version: the champion from then on.
    former: the champion before; None for the first one.
    """

    at: AwareDatetime
    event: Event
    version: str
    former: str | None
    by: str = ""
    recipe: str = ""
    reasons: tuple[str, ...] = ()


class ChampionPeriod(Settings):
    """A time in which one version was champion.

    since: None where it is not known. until: None while it lasts, and where it is not known; `ended` is then "unknown".
    began, ended: the events; "unknown" where no entry tells.
    """

    version: str
    recipe: str = ""
    since: datetime | None = None
    until: datetime | None = None
    began: Event | Literal["unknown"] = "unknown"
    ended: Event | Literal["unknown"] | None = None
    reasons: tuple[str, ...] = ()


def record(versions: Versions, key: str, entry: Entry) -> None:
    """Append an entry; the same key again writes the same entry again, so that a repeated move adds nothing."""
    versions.set_tag(PREFIX + key, entry.model_dump_json())


def entries(versions: Versions) -> list[Entry]:
    """All entries, the oldest first; tags under this prefix that are not entries are left out."""
    found = []
    for key, value in versions.tags().items():
        if key.startswith(PREFIX):
            try:
                found.append((Entry.model_validate_json(value), key))
            except ValidationError:
                continue
    return [entry for entry, _ in sorted(found, key=lambda pair: (pair[0].at, pair[1]))]


def history(versions: Versions) -> list[ChampionPeriod]:
    """The periods of each champion of a registered model, the oldest first."""
    champion = versions.at(CHAMPION)
    recipe = versions.get(champion).tags.get(RECIPE, "") if champion is not None else ""
    return champion_periods(entries(versions), champion, recipe)


def champion_periods(found: Sequence[Entry], champion: str | None, recipe: str = "") -> list[ChampionPeriod]:
    """The periods of each champion, from the entries and the present champion (with its recipe), the oldest first."""
    periods: list[ChampionPeriod] = []
    for entry in found:
        _end(periods, entry.former, entry.at, entry.event)
        periods.append(
            ChampionPeriod(
                version=entry.version,
                recipe=entry.recipe,
                since=entry.at,
                began=entry.event,
                reasons=entry.reasons,
            )
        )
    if not periods or periods[-1].version != champion:
        if periods:
            periods[-1] = periods[-1].model_copy(update={"ended": "unknown"})
        if champion is not None:
            periods.append(ChampionPeriod(version=champion, recipe=recipe))
    return periods


def _end(periods: list[ChampionPeriod], former: str | None, at: datetime, event: Event) -> None:
    """End the last period. One of another version than `former` ended at an unknown time, before that of `former`."""
    if periods and periods[-1].version == former:
        periods[-1] = periods[-1].model_copy(update={"until": at, "ended": event})
        return
    if periods:
        periods[-1] = periods[-1].model_copy(update={"ended": "unknown"})
    if former is not None:
        periods.append(ChampionPeriod(version=former, until=at, ended=event))


def champion_before(found: Sequence[Entry], version: str) -> str | None:
    """The champion that `version` replaced when it was last promoted."""
    return next(
        (entry.former for entry in reversed(found) if entry.version == version and entry.event == "promoted"), None
    )


def now() -> datetime:
    """The time in UTC, in the resolution that entries keep."""
    return datetime.now(UTC)
