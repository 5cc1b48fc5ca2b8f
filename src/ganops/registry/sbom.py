"""A bill of materials: the model and every package of this environment, as CycloneDX 1.6 JSON (ECMA-424)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import Distribution, distributions
from typing import Any


def sbom(model: str, version: str, package: str, at: datetime) -> dict[str, Any]:
    """What a version is made of. package: the sha256 of all its files. at: of the promotion, so that equal is equal."""
    subject = f"models:/{model}/{version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{subject}#{package}')}",
        "version": 1,
        "metadata": {
            "timestamp": at.isoformat(timespec="seconds"),
            "component": {
                "type": "machine-learning-model",
                "bom-ref": subject,
                "name": model,
                "version": version,
                "hashes": [{"alg": "SHA-256", "content": package}],
            },
        },
        "components": sorted(_components(), key=lambda component: str(component["bom-ref"])),
    }


def _components() -> Iterator[dict[str, Any]]:
    seen = set[str]()
    for found in distributions():
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"] or "").lower()
        purl = f"pkg:pypi/{name}@{found.version}"
        if not name or purl in seen:
            continue
        seen.add(purl)
        component = {"type": "library", "bom-ref": purl, "name": name, "version": found.version, "purl": purl}
        yield component | _licence(found)


def _licence(found: Distribution) -> dict[str, Any]:
    """The licence that a package declares: an SPDX expression (PEP 639), or what its classifiers say."""
    if "License-Expression" in found.metadata:
        return {"licenses": [{"expression": found.metadata["License-Expression"]}]}
    names = [
        line.rpartition(" :: ")[2]
        for line in found.metadata.get_all("Classifier") or []
        if line.startswith("License :: OSI Approved :: ")
    ]
    return {"licenses": [{"license": {"name": name}} for name in names]} if names else {}
