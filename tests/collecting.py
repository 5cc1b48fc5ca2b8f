"""A source's data set in memory, without packing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganops.data.raw_dataset import RawDataset
from ganops.data.sources.source import SourceContext, find_source
from ganops.params import DataParams


def collect(source: str, raw: Path, **settings: Any) -> RawDataset:
    """What `source` collects with these settings of the section `data`; downloads and scratch files go to `raw`."""
    params = DataParams.model_validate({"source": source, **settings})
    return find_source(source, params.options).collect(SourceContext(params, raw=raw, scratch=raw))
