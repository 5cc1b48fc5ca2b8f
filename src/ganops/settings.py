"""What every typed settings section shares: frozen, no unknown keys, errors that name file, key and nearest name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ganops.errors import SettingsError


class Settings(BaseModel):
    """Base of all settings: immutable, every key known, nothing converted silently between kinds of values."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


S = TypeVar("S", bound=Settings)


class Yaml(yaml.SafeLoader):
    """YAML 1.2 as far as scalars go, which is what DVC reads and writes: `off` is a word, and 2e-4 is a number."""


Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":float"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^([-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
    list("-+0123456789."),
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises SettingsError when the file is missing, is not UTF-8, is not YAML or is not a mapping.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=Yaml)  # noqa: S506 - Yaml is a SafeLoader
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing", action="create it, or give the right path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read", found=str(error)) from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not valid YAML", found=" ".join(str(error).split())) from error
    if not isinstance(value, dict):
        raise SettingsError(f"{path} holds no settings", expected="keys and values", found=type(value).__name__)
    return value


def validate(kind: type[S], values: Mapping[str, Any], where: str) -> S:
    """Make settings of class `kind` from `values`; `where` (file and section) opens the message of an error.

    Raises SettingsError naming the key, what was expected, what was found and, for an unknown key, the nearest one.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise _explain(error, kind, where) from None


def nearest(name: str, known: Iterable[str]) -> str:
    """A phrase that offers the known name closest to `name`, or lists all of them when none is close."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'? (known: {', '.join(names)})" if close else f"use one of: {', '.join(names)}"


def _explain(error: ValidationError, kind: type[Settings], where: str) -> SettingsError:
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    key = ".".join(path) or "(all of it)"
    more = f" ({error.error_count() - 1} more problems in this section)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return SettingsError(
            f"{where}: unknown key '{key}'{more}",
            found=repr(first["input"]),
            action=nearest(path[-1], _keys_at(kind, path[:-1])),
        )
    if first["type"] == "missing":
        return SettingsError(f"{where}: key '{key}' is missing{more}", action="add it")
    return SettingsError(f"{where}: key '{key}' is wrong{more}", expected=first["msg"], found=repr(first["input"]))


def _keys_at(kind: type[Settings], path: list[str]) -> list[str]:
    """The keys known at `path` inside `kind`; where the path leads through a union or a dict, those of `kind`."""
    for part in path:
        field = kind.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, Settings)):
            break
        kind = inner
    return list(kind.model_fields)
