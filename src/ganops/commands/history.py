"""Who was champion from when to when, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ganops.registry.history import ChampionPeriod


@click.command(short_help="who was champion from when to when")
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
def command(as_json: bool) -> None:
    """List all champions of the registered model, the newest first; times are those of this machine's clock."""
    from ganops.params import load_params
    from ganops.registry.history import champion_periods, entries
    from ganops.registry.versions import Versions
    from ganops.tracking.store import connect

    model = load_params().tracking.model
    times = champion_periods(entries(Versions(connect(), model)))
    if as_json:
        click.echo(json.dumps([reign.model_dump(mode="json") for reign in times], indent=2))
    elif not times:
        click.echo(f"the model '{model}' has had no champion yet; `ganops promote` makes the challenger champion")
    else:
        click.echo(table(list(reversed(times))))


def table(times: Sequence[ChampionPeriod]) -> str:
    """Version, recipe, from, to, how it ended and why it began, in columns."""
    rows = [("version", "recipe", "champion from", "to", "ended", "why it became champion")]
    for reign in times:
        until, ended = ("now", "") if reign.until is None else (_shown(reign.until), _ending(reign))
        rows.append((reign.version, reign.recipe, _shown(reign.since), until, ended, "; ".join(reign.reasons)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = ["  ".join([*map(str.ljust, row[:-1], widths), row[-1]]).rstrip() for row in rows]
    return "\n".join(lines)


def _ending(reign: ChampionPeriod) -> str:
    words = {"promoted": "by the next one", "rolled back": "rolled back", "quarantined": "smoke test failed"}
    return words[reign.ended] if reign.ended is not None else ""


def _shown(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
