"""Options of the form NAME=VALUE, which give inputs of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

OPTIONS = frozenset({"n", "seed", "task", "batch_size", "tile", "overlap"})  # they have options of their own


def given_inputs(texts: Sequence[str]) -> dict[str, Any]:
    """The values of --given by name; raises BadParameter for anything but NAME=VALUE, and for names of options."""
    return dict(_pair(text) for text in texts)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"'{text}' is not NAME=VALUE", param_hint="--given")
    if name in OPTIONS:
        raise click.BadParameter(f"'{name}' is not an input of a model", param_hint="--given")
    return name, value
