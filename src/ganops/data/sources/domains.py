"""Two domains without pairs, taken from other sources: two data sets, or classes of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field as Bounded

from ganops.data.fields.category import CategoryField
from ganops.data.raw_dataset import RawDataset, RawDomains
from ganops.data.sources.source import SOURCES, Source, SourceContext, find_source
from ganops.data.spec import LABEL
from ganops.errors import SettingsError
from ganops.settings import Settings, nearest


class Domain(Settings):
    """One of the two: a source, its own options, and the classes to use; without any, all of them.

    image_size, channels: as in the section `data`, which counts where they are left out.
    """

    source: str
    options: dict[str, Any] = Bounded(default_factory=dict)
    classes: tuple[str, ...] = ()
    image_size: Annotated[int, Bounded(ge=8, le=1024)] | Literal["auto"] | None = None
    channels: Literal[1, 3, "auto"] | None = None

    def collect(self, context: SourceContext, where: str) -> RawDataset:
        """The rows of its classes; raises SettingsError for a class that the data do not have."""
        own = {key: value for key in ("image_size", "channels") for value in [getattr(self, key)] if value is not None}
        params = context.params.model_copy(update={**own, "source": self.source, "options": self.options})
        found = find_source(self.source, self.options).collect(replace(context, params=params))
        if isinstance(found, RawDomains):
            raise SettingsError(
                f"{where}: the source gives two domains by itself",
                code="nested-domains",
                expected="a source of one data set",
                found=self.source,
                action="use this source as data.source, or set its option layout to single",
            )
        return _only(found, self.classes, where) if self.classes else found


HANDWRITING = Domain(source="digits")
PRINT = Domain(source="glyphs", options={"alphabets": ["digits"]})


@SOURCES.add("domains")
class Domains(Source):
    """Domains A and B; by default handwritten and printed digits, which need no files."""

    A: Domain = HANDWRITING
    B: Domain = PRINT

    @property
    def reads_path(self) -> bool:
        """Where one of both does."""
        return any(find_source(each.source, each.options).reads_path for each in (self.A, self.B))

    def locate(self, roots: Sequence[Path]) -> list[Path] | None:
        """The files of both."""
        found = [find_source(each.source, each.options).locate(roots) for each in (self.A, self.B)]
        return None if None in found else [path for paths in found for path in paths or ()]

    def collect(self, context: SourceContext) -> RawDomains:
        """Both, one after the other."""
        domains = {
            name: domain.collect(context, f"data.options.{name}") for name, domain in (("A", self.A), ("B", self.B))
        }
        return RawDomains.join(domains, " and ".join(self._name(domain) for domain in (self.A, self.B)))

    def _name(self, domain: Domain) -> str:
        return f"{domain.source} ({', '.join(domain.classes)})" if domain.classes else domain.source


def _only(dataset: RawDataset, classes: tuple[str, ...], where: str) -> RawDataset:
    """The rows of some classes; the column of labels stays where there are several."""
    field = dataset.fields.get(LABEL)
    known = field.classes if isinstance(field, CategoryField) else ()
    for name in classes:
        if name not in known:
            raise SettingsError(
                f"{where}.classes: unknown class '{name}'",
                code="unknown-class",
                found=name,
                action=nearest(name, known) if known else "leave classes out: these data have none",
            )
    chosen = tuple(name for name in known if name in classes)
    index = np.full(len(known), -1, dtype=np.int64)
    index[[known.index(name) for name in chosen]] = np.arange(len(chosen))
    labels = index[dataset.columns[LABEL]]
    fields, columns = dict(dataset.fields), dict(dataset.columns)
    fields[LABEL], columns[LABEL] = CategoryField(classes=chosen), labels
    if len(chosen) == 1:
        del fields[LABEL], columns[LABEL]
    rows = {split: kept[labels[kept] >= 0] for split, kept in dataset.rows.items()}
    return replace(dataset, fields=fields, columns=columns, rows=rows)
