"""The registered model `ganops` as tests of promotion see it: its aliases, its history, what is quarantined."""

from __future__ import annotations

import functools
from collections.abc import Callable

from small_model import small_params

from ganops.registry.history import history
from ganops.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, QUARANTINED, Versions
from ganops.tracking.location import tracking_uri
from ganops.tracking.store import connect

PARAMS = small_params()
Register = Callable[..., str]
Aliases = tuple[str | None, str | None, str | None]
Periods = list[tuple[str, str | None]]


def versions() -> Versions:
    return _versions(tracking_uri())


@functools.cache
def _versions(uri: str) -> Versions:
    """Connected once for each database: a connection takes longer than the requests."""
    return Versions(connect(uri), "ganops")


def aliases() -> Aliases:
    """(champion, previous-champion, challenger)."""
    return versions().at(CHAMPION), versions().at(PREVIOUS), versions().at(CHALLENGER)


def periods() -> Periods:
    return [(period.version, period.ended) for period in history(versions())]


def quarantined() -> list[str]:
    known = versions().store.client.search_model_versions("name = 'ganops'")
    return sorted(str(version.version) for version in known if version.tags.get(QUARANTINED))
