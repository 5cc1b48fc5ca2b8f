"""The interface of a source of data, and the registry that finds one by `data.source`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganops.data.data_root import data_roots
from ganops.data.image_format import ImageFormat
from ganops.params import DataParams
from ganops.registry_of_kinds import KindRegistry
from ganops.settings import Settings

if TYPE_CHECKING:  # it imports torch, which the processes that decode images do without
    from ganops.data.raw_dataset import RawDataset, RawDomains

SOURCES: KindRegistry[Source] = KindRegistry("source", "ganops.data.sources", "SOURCES")


@dataclass(frozen=True)
class SourceContext:
    """What a source works with.

    raw: the folder for downloads. scratch: a folder on whose disk large arrays may lie while they are made.
    processes: how many decode image files; None: as many as there are cores.
    """

    params: DataParams
    raw: Path
    scratch: Path
    processes: int | None = None

    @property
    def roots(self) -> list[Path]:
        """The folders in which raw files of standard data sets may lie."""
        return data_roots(self.params.home, self.raw)

    def image_format(self, natural: ImageFormat) -> ImageFormat:
        """The size and channels that the settings ask for; those of `natural` where they say auto."""
        size, channels = self.params.image_size, self.params.channels
        return ImageFormat(
            natural.size if size == "auto" else size, natural.channels if channels == "auto" else channels
        )


class Source(Settings, ABC):
    """Where a data set comes from; a file of this folder registers each one with SOURCES, under its name.

    Its fields are what the section `data.options` may set.
    """

    @property
    def reads_path(self) -> bool:
        """Whether it reads `data.path`."""
        return False

    def locate(self, _roots: Sequence[Path]) -> list[Path] | None:
        """Its raw files, where one of the data roots has them all; None: they would have to be downloaded.

        A source that needs no such files returns an empty list, as here.
        """
        return []

    @abstractmethod
    def collect(self, context: SourceContext) -> RawDataset | RawDomains:
        """The data set; raises DataError where it is missing or damaged."""


def find_source(name: str, options: Mapping[str, Any] | None = None) -> Source:
    """The source called `name` with its own options; raises SettingsError for an unknown name, option or value."""
    where = "data.options" if name in SOURCES.names() else "data.source"
    return SOURCES.build({**(options or {}), "kind": name}, where)
