"""Whether the packed rows are those that were prepared: a flipped bit changes neither size nor time of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ganops.data.digest import digest
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import SPLITS, read_packed
from ganops.errors import DataError


def require_unaltered(folder: Path, manifest: Manifest | None = None) -> None:
    """Raise DataError where the rows in `folder` have another digest than its manifest says, or cannot be read.

    All rows are read once, at about 1 GiB/s: much less than an epoch of any training takes.
    """
    manifest = manifest or read_manifest(folder)
    if (found := digest_of_packed(folder, manifest)) != manifest.digest:
        raise DataError(
            f"the rows in {folder} are not those that were prepared",
            code="packed-altered",
            expected=f"sha256 {manifest.digest[:16]}...",
            found=f"{found[:16]}...",
            action="prepare them again: dvc repro --force --single-item prepare; if it happens twice, check the disk",
        )


def digest_of_packed(folder: Path, manifest: Manifest) -> str:
    """The digest of the rows as they lie in `folder`; of unpaired data, that of both domains."""
    if manifest.spec.paired:
        return _digest(folder)
    return hashlib.sha256("".join(_digest(folder / domain) for domain in manifest.spec.domains).encode()).hexdigest()


def _digest(folder: Path) -> str:
    return digest({split: read_packed(folder, split) for split in SPLITS})
