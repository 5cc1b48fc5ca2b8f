"""Options of the form NAME=VALUE, which give inputs of a model."""

from __future__ import annotations

from collections.abc import Sequence

import click


def given_inputs(texts: Sequence[str]) -> dict[str, str]:
    """The values of --given by name; raises BadParameter for anything but NAME=VALUE."""
    return dict(_pair(text) for text in texts)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"'{text}' is not NAME=VALUE", param_hint="--given")
    return name, value
