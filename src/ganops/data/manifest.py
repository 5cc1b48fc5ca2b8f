"""manifest.json: what was prepared, from where, and what was rejected and why."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from ganops.data.packed import Split
from ganops.data.spec import DataSpec
from ganops.errors import DataError, SettingsError
from ganops.settings import Settings

OWN_IMAGES = "images"  # the source whose data are a folder or zip file of the user
SplitRule = Literal["published", "folders", "content"]


class Rejected(Settings):
    """One input that did not become a row: its name inside the source, and the reason."""

    name: str
    reason: str


class Manifest(Settings):
    """The identity of a prepared data set.

    origin: the files or the folder that the data came from.
    digest: sha256 over the columns of both splits.
    split_by: what decides the split: the publisher, train/test folders, or the content of each row.
    counts: rows of each split; of unpaired data, those of the smaller domain, and domain_counts has both.
    class_counts: rows of each class, for data with labels; a class may have none in the test split.
    rejected: the first 1000 by name; rejected_reasons counts all of them.
    """

    source: str
    origin: str = ""
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    spec: DataSpec
    split_by: SplitRule = "published"
    counts: dict[Split, int]
    domain_counts: dict[str, dict[Split, int]] = Field(default_factory=dict)
    class_counts: dict[Split, dict[str, int]] = Field(default_factory=dict)
    rejected_count: int = 0
    rejected_reasons: dict[str, int] = Field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()

    @property
    def name(self) -> str:
        """What people call the data: the source, or the name of the folder or zip file of their own images."""
        if self.source != OWN_IMAGES:
            return self.source
        path = Path(self.origin)
        return path.stem if path.suffix == ".zip" else path.name or self.source


def manifest_path(folder: Path) -> Path:
    """Where the manifest lies inside a prepared folder."""
    return folder / "manifest.json"


def read_manifest(folder: Path) -> Manifest:
    """Read manifest.json of a prepared folder; raises DataError when it is missing or damaged."""
    path = manifest_path(folder)
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing", code="manifest-missing", action="run the prepare stage: dvc repro prepare"
        ) from None
    except (OSError, ValueError, SettingsError) as error:  # a ValidationError is a ValueError
        raise DataError(
            f"{path} cannot be read",
            code="manifest-unreadable",
            found=str(error),
            action="prepare the data again: dvc repro --force prepare",
        ) from error
