"""Compare new pictures with the training data."""

from __future__ import annotations

import sys
from pathlib import Path

import click

DRIFTED = 3


@click.command(short_help="compare new pictures with the training data")
@click.argument("pictures", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Windows, distances and p-values as JSON.")
def command(pictures: Path | None, as_json: bool) -> None:
    """Compare the newest windows of PICTURES, a folder or zip file, with the data that the pipeline was trained on.

    By default those of watch.path in params.yaml, which also has the size of a window and how many make drift. The
    features are those of evaluation; a p-value is the share of random exchanges of both sides that look as different.

    Exit code: 0 without drift, 3 with drift.
    """
    from ganops.evaluation.drift import look_for_drift
    from ganops.resolved import load_params
    from ganops.workspace import WORKSPACE

    found = look_for_drift(load_params(), WORKSPACE, pictures)
    if as_json:
        import json
        from dataclasses import asdict

        click.echo(json.dumps({**asdict(found), "drifted": found.drifted}, indent=2))
    else:
        for window in found.windows:
            verdict = "differs" if window.drifted else "as before"
            click.echo(f"{verdict:9}  KID {window.kid:+.5f}  p {window.p:.3f}  {window.first} .. {window.last}")
        click.echo(found.describe())
    sys.exit(DRIFTED if found.drifted else 0)
