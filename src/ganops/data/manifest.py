"""manifest.json: what was prepared, from where, and what was rejected and why."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from ganops.atomic import write_text
from ganops.data.packed import Split
from ganops.data.spec import DataSpec
from ganops.errors import DataError
from ganops.settings import Settings


class Rejected(Settings):
    """One input that did not become an image: its name inside the source, and the reason in words."""

    name: str
    reason: str


class Manifest(Settings):
    """The identity of a prepared data set."""

    source: str
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")  # sha256 over shapes, pixels and labels of both splits
    spec: DataSpec
    counts: dict[Split, int]
    class_counts: dict[Split, dict[str, int]] = Field(default_factory=dict)
    rejected_count: int = 0
    rejected_reasons: dict[str, int] = Field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()

    def write(self, folder: Path) -> None:
        """Write manifest.json into a prepared folder, atomically."""
        write_text(folder / "manifest.json", self.model_dump_json(indent=2) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Read manifest.json of a prepared folder; raises DataError when it is missing or damaged."""
    path = folder / "manifest.json"
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} is missing", action="run the prepare stage: dvc repro prepare") from None
    except (OSError, ValidationError) as error:
        raise DataError(
            f"{path} cannot be read", found=str(error), action="make it anew: dvc repro --force prepare"
        ) from error
