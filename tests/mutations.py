"""Settings with one value replaced, for tests that look for values that are not refused as they should be."""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Iterator
from typing import Any


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where values stand in nested settings; the settings as a whole are not among them."""
    if above:
        yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*above, key))


def changed(values: Any, place: tuple[Any, ...], wrong: Any) -> Any:
    """A copy with another value in one place."""
    result = copy.deepcopy(values)
    *above, last = place
    functools.reduce(operator.getitem, above, result)[last] = wrong
    return result
