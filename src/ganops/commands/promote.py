"""Judge the challenger; if the gate accepts it, it becomes champion."""

from __future__ import annotations

import sys

import click

REFUSED, SMOKE_TEST_FAILED = 3, 4


@click.command(short_help="judge the challenger and promote it")
@click.argument("version", required=False)
@click.option("--dry-run", is_flag=True, help="Judge and print the verdict; change nothing.")
def command(version: str | None, dry_run: bool) -> None:
    """Judge VERSION (by default the challenger) by the gate that params.yaml describes.

    A version that passes a smoke test in a fresh process and is accepted becomes champion, and the former champion
    becomes previous-champion. Until then nothing moves.

    Exit code: 0 when it is champion (or with --dry-run), 3 when the gate refused it, 4 when the smoke test failed.
    """
    from ganops.registry.evidence import keep_evidence
    from ganops.registry.promotion import promote
    from ganops.resolved import load_params
    from ganops.workspace import WORKSPACE

    params = load_params()
    prepared = WORKSPACE.reference.is_dir() and WORKSPACE.prepared.is_dir()
    result = promote(params, version, dry_run=dry_run, workspace=WORKSPACE if prepared else None)
    model = params.tracking.model
    click.echo(f"{model} version {result.version}: {result.decision.verdict}")
    for reason in result.decision.reasons:
        click.echo(f"  - {reason}")
    if result.moved:
        keep_evidence(params, result.version, WORKSPACE)
        former = f", after version {result.former}" if result.former else ", the first one"
        click.echo(f"version {result.version} is champion now{former}: models:/{model}@champion")
    elif result.failure:
        click.echo(f"the smoke test failed: {result.failure}")
        click.echo(f"version {result.former} stays champion" if result.former else "there is no champion")
        sys.exit(SMOKE_TEST_FAILED)
    elif result.decision.verdict == "refused":
        sys.exit(REFUSED)
