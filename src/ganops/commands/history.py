"""List all champions: from when to when, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from ganops.commands.recipes import columns

if TYPE_CHECKING:
    from ganops.registry.history import ChampionPeriod

ENDINGS = {"promoted": "replaced", "rolled back": "rolled back", "unknown": "unknown"}


@click.command(short_help="list all champions")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
def command(as_json: bool) -> None:
    """List all champions of the registered model, the newest first; times are in this machine's time zone."""
    from ganops.registry.history import history
    from ganops.registry.naming import registered_name
    from ganops.registry.versions import Versions
    from ganops.resolved import load_params
    from ganops.tracking.store import connect

    model = registered_name(load_params())
    periods = history(Versions(connect(), model))
    if as_json:
        click.echo(json.dumps([period.model_dump(mode="json") for period in periods], indent=2))
    elif not periods:
        click.echo(f"the model '{model}' has had no champion yet; `ganops promote` makes the challenger champion")
    else:
        click.echo(table(list(reversed(periods))))


def table(periods: Sequence[ChampionPeriod]) -> str:
    """Version, recipe, from, to, how it ended and why it began, in columns."""
    rows = [("version", "recipe", "champion from", "to", "ended", "why it became champion")]
    for period in periods:
        lasts = period.until is None and period.ended is None
        until, ended = ("now", "") if lasts else (_shown(period.until), ENDINGS.get(period.ended or "", ""))
        rows.append((period.version, period.recipe, _shown(period.since), until, ended, "; ".join(period.reasons)))
    return columns(rows)


def _shown(time: datetime | None) -> str:
    return "unknown" if time is None else time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
