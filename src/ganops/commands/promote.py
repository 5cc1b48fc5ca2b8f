"""Put the challenger before the gate; where it is let through, it becomes champion."""

from __future__ import annotations

import sys
from pathlib import Path

import click

REFUSED, TAKEN_BACK = 3, 4


@click.command(short_help="put the challenger before the gate")
@click.argument("version", required=False)
@click.option("--dry-run", is_flag=True, help="Judge and say so; change nothing.")
def command(version: str | None, dry_run: bool) -> None:
    """Put VERSION (by default the challenger) before the gate that params.yaml describes.

    Let through, it becomes champion, the former one previous-champion, and a smoke test loads it in a fresh process;
    when that fails, both aliases go back by themselves.

    Exit code: 0 when it is champion (or the gate only looked), 3 when the gate refused, 4 when the smoke test failed.
    """
    from ganops.params import load_params
    from ganops.registry.promotion import promote

    params = load_params()
    reference, prepared = Path("results/reference"), Path("data/prepared")
    there = reference.is_dir() and prepared.is_dir()
    result = promote(
        params,
        version,
        dry_run=dry_run,
        reference=reference if there else None,
        prepared=prepared if there else None,
    )
    click.echo(f"{params.tracking.model} version {result.version}: {result.decision.verdict}")
    for reason in result.decision.reasons:
        click.echo(f"  - {reason}")
    if result.moved:
        former = f", after version {result.former}" if result.former else ", the first one"
        click.echo(f"version {result.version} is champion now{former}: models:/{params.tracking.model}@champion")
    elif result.failure:
        click.echo(f"its smoke test failed: {result.failure}")
        click.echo(f"version {result.former} is champion again" if result.former else "there is no champion")
        sys.exit(TAKEN_BACK)
    elif result.decision.verdict == "refused":
        sys.exit(REFUSED)
