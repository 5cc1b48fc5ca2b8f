"""Write all that speaks for a version into one zip file."""

from __future__ import annotations

from pathlib import Path

import click

from ganops.commands._output import OutputFile


@click.command(short_help="write all that speaks for a version into one zip file")
@click.argument("version", required=False)
@click.option("--out", "-o", type=OutputFile(".zip"), help="The file.  [default: evidence/MODEL-VERSION.zip]")
def command(version: str | None, out: Path | None) -> None:
    """Write card, report, scores with their protocol, the gate's decision, a bill of materials and the signature.

    VERSION is the champion by default. The bill is that of this environment, as CycloneDX JSON. A promotion writes such
    a file itself and adds it to the run of the version.
    """
    from ganops.errors import RegistryError
    from ganops.registry.evidence import write_evidence
    from ganops.registry.naming import registered_name
    from ganops.registry.versions import CHAMPION, Versions
    from ganops.resolved import load_params
    from ganops.tracking.store import connect
    from ganops.workspace import WORKSPACE

    versions = Versions(connect(), registered_name(load_params()))
    version = version or versions.at(CHAMPION)
    if version is None:
        raise RegistryError(
            f"the model '{versions.model}' has no champion", code="no-champion", action="name a version, or promote one"
        )
    out = out or WORKSPACE.evidence / f"{versions.model}-{version}.zip"
    out.parent.mkdir(parents=True, exist_ok=True)
    names = write_evidence(versions, version, out, WORKSPACE)
    click.echo(f"{out}: {', '.join(names)}")
