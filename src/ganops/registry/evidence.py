"""All that speaks for a promoted version, in one zip file that needs no registry to be read.

card/ as registered, report.html of the run that chose it, protocol.json (scores and how they were measured),
decision.json (the gate's verdict and the history), sbom.json (CycloneDX), statement.json with signature.json where it
was signed: `model_signing verify key` checks them. Equal content gives equal bytes.
"""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganops.atomic import atomic_path
from ganops.errors import GanopsError
from ganops.params import Params
from ganops.registry.history import entries
from ganops.registry.load import package_digest, registered
from ganops.registry.naming import registered_name
from ganops.registry.sbom import sbom
from ganops.registry.signature import SIGNATURE, STATEMENT, statement
from ganops.registry.versions import MEASURED, Versions
from ganops.tracking.outbox import first_line, warn
from ganops.tracking.store import connect
from ganops.workspace import Workspace

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the time of every file in the zip
SIGNED = "signed/"


def write_evidence(versions: Versions, version: str, out: Path, workspace: Workspace) -> list[str]:
    """Write the evidence for a version to `out`; the names of what is in it.

    The report is there where the checkout's results are those of this version. Raises RegistryError where the version
    or its files are missing.
    """
    found = registered(f"{versions.uri}/{version}", signed=False)
    package, tags = package_digest(found.package), dict(found.tags)
    parts: dict[str, bytes] = {}
    if found.card is not None:
        parts |= {f"card/{file.name}": file.read_bytes() for file in found.card.iterdir() if file.is_file()}
    if _is_of(workspace, versions, version) and workspace.report.is_file():
        parts["report.html"] = workspace.report.read_bytes()
    signature = tags.pop(SIGNATURE, "")
    parts["protocol.json"] = _json([_parsed(tags.pop(key)) for key in sorted(tags) if key.startswith(MEASURED)])
    changes = [entry.model_dump(mode="json") for entry in entries(versions) if entry.version == version]
    parts["decision.json"] = _json({"version": found.uri, "tags": tags, "history": changes})
    made = datetime.fromtimestamp(versions.get(version).creation_timestamp / 1000, UTC)
    parts["sbom.json"] = _json(sbom(versions.model, version, package, made))
    parts[SIGNED + STATEMENT] = statement(versions.model, version, package).encode()
    if signature:
        parts["signature.json"] = signature.encode()
    with atomic_path(out) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(parts):
            archive.writestr(zipfile.ZipInfo(name, EARLIEST), parts[name], zipfile.ZIP_DEFLATED)
    return sorted(parts)


def keep_evidence(params: Params, version: str, workspace: Workspace) -> None:
    """Write the evidence for a version that was just promoted, and add it to the version's run; trouble is a warning.

    `ganops evidence` makes it later as well.
    """
    from mlflow.exceptions import MlflowException

    versions = Versions(connect(), registered_name(params))
    out = workspace.evidence / f"{versions.model}-{version}.zip"
    try:
        write_evidence(versions, version, out, workspace)
        if run := versions.get(version).run_id:
            versions.store.client.log_artifact(run, str(out), "evidence")
    except (GanopsError, MlflowException, OSError) as error:
        warn(f"the evidence for version {version} is not complete: {first_line(error)}")


def _is_of(workspace: Workspace, versions: Versions, version: str) -> bool:
    """Whether the results of a checkout are those that the version was registered from."""
    try:
        registration = json.loads(workspace.registration.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    known = registration if isinstance(registration, dict) else {}
    return (known.get("model"), known.get("version")) == (versions.model, version)


def _parsed(text: str) -> Any:
    """The value of a JSON text; the text itself where somebody has edited it, or a store has cut it."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
