"""A source's data set in memory, without packing it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganops.data.raw_dataset import RawDataset, RawDomains
from ganops.data.sources.source import SourceContext, find_source
from ganops.params import DataParams


def collect(source: str, raw: Path, **settings: Any) -> RawDataset:
    """What `source` collects with these settings of the section `data`; downloads and scratch files go to `raw`."""
    found = _collect(source, raw, settings)
    assert isinstance(found, RawDataset)
    return found


def collect_domains(source: str, raw: Path, **settings: Any) -> Mapping[str, RawDataset]:
    """As `collect`, for data of two domains."""
    found = _collect(source, raw, settings)
    assert isinstance(found, RawDomains)
    return found.domains


def _collect(source: str, raw: Path, settings: Mapping[str, Any]) -> RawDataset | RawDomains:
    params = DataParams.model_validate({"source": source, **settings})
    return find_source(source, params.options).collect(SourceContext(params, raw=raw, scratch=raw))
