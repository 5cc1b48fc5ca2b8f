"""What `ganops recipes` finds by building networks, kept until the code, the data or a recipe change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import NamedTuple

from ganops.atomic import write_text
from ganops.code_digest import SOURCES
from ganops.recipe import Recipe
from ganops.workspace import WORKSPACE


class Measured(NamedTuple):
    """fits: "yes", or why the recipe cannot be trained on the data. weights, flops: 0 where it cannot be built."""

    fits: str
    weights: int
    flops: int


def measured(recipes: Mapping[str, Recipe], measure: Callable[[str, Recipe], Measured]) -> dict[str, Measured]:
    """What `measure` finds of each recipe, or found when code, data and recipe were the same."""
    kept, ground = dict[str, tuple[str, int, int]](), _ground()
    with suppress(OSError, ValueError, TypeError, AttributeError):  # the last two: a file of another form
        read = json.loads(WORKSPACE.measured.read_text(encoding="utf-8"))
        kept = {key: (str(fits), int(weights), int(flops)) for key, (fits, weights, flops) in read.items()}
    keys = {
        name: hashlib.sha256((ground + recipe.model_dump_json()).encode()).hexdigest()
        for name, recipe in recipes.items()
    }
    found = {
        name: Measured(*kept[key]) if (key := keys[name]) in kept else measure(name, recipe)
        for name, recipe in recipes.items()
    }
    if not set(keys.values()) <= kept.keys():
        with suppress(OSError):  # a checkout that may not be written to is measured each time
            write_text(WORKSPACE.measured, json.dumps({keys[name]: each for name, each in found.items()}, indent=1))
    return found


def _ground() -> str:
    """The sha256 of all that decides what is found, recipes aside."""
    content = hashlib.sha256(version("torch").encode())
    for file in (*sorted(SOURCES.rglob("*.py")), *sorted(WORKSPACE.prepared.glob("*.json"))):
        content.update(file.read_bytes())
    return content.hexdigest()
