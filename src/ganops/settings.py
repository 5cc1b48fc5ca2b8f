"""What every typed settings section shares: frozen, no unknown keys, errors that name file, key and nearest name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError, to_json

from ganops.atomic import write_text
from ganops.errors import SettingsError

PREFIX = re.compile(r"^(Input should be|Value error,) ")  # of pydantic's messages
LARGEST = 1e15  # no setting counts or measures more
LONGEST_FOUND = 200  # characters of a wrong value in an error


class Settings(BaseModel):
    """Base of all settings: immutable, every key known, all numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def write(self, path: Path) -> None:
        """Write them as indented JSON, atomically."""
        write_text(path, self.model_dump_json(indent=2) + "\n")


S = TypeVar("S", bound=Settings)
MARKER = "<<<<<<< "  # of git, where its side of a conflict begins


class Yaml(yaml.SafeLoader):
    """YAML as DVC reads and writes it: `off` and 12:30 are words, 010 is ten, 2e-4 a number; a key stands once only."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping; raises YAMLError where a key stands twice."""
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if twice := next((key for place, key in enumerate(keys) if key in keys[:place]), None):
            raise yaml.constructor.ConstructorError(None, None, f"the key '{twice}' stands twice", node.start_mark)
        return super().construct_mapping(node, deep)

    def construct_whole(self, node: yaml.ScalarNode) -> int:
        """A whole number: in YAML 1.1 a leading zero would make it octal."""
        digits = self.construct_scalar(node).replace("_", "")
        return int(digits, 0 if digits.lstrip("+-")[1:2] in ("x", "b", "o") else 10)


Yaml.yaml_implicit_resolvers = {  # pyrefly: ignore[instance-var-assign]  # of the class, in PyYAML
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":float", ":int"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$"),
    list("-+0123456789"),
)
Yaml.add_constructor("tag:yaml.org,2002:int", Yaml.construct_whole)
Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^([-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
    list("-+0123456789."),
)


def parse_yaml(text: str | bytes) -> Any:
    """The value of a YAML text, without objects of Python; raises yaml.YAMLError, RecursionError or ValueError."""
    return yaml.load(text, Loader=Yaml)  # noqa: S506 - Yaml is a SafeLoader


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises SettingsError when the file is missing, is not UTF-8, is not YAML, is not a mapping or holds a conflict.
    """
    try:
        value = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        action = "create it, or give the right path"
        raise SettingsError(f"{path} is missing", code="missing-file", action=action) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read", code="unreadable", found=str(error)) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # ValueError: a date that does not exist
        refuse_conflict(path)
        found = " ".join(str(error).split())
        raise SettingsError(f"{path} is not valid YAML", code="bad-yaml", found=found) from error
    if not isinstance(value, dict):
        raise SettingsError(
            f"{path} holds no settings",
            code="no-settings",
            expected="keys and values",
            found="an empty file" if value is None else type(value).__name__,
            action=f"correct it, or take it from git: git checkout {path}",
        )
    return value


def refuse_conflict(path: Path) -> None:
    """Raise SettingsError where a merge left its markers in a text file; a file that cannot be read has none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    number = next((place for place, line in enumerate(lines, 1) if line.startswith(MARKER)), None)
    if number is not None:
        raise SettingsError(
            f"{path} holds both sides of a merge",
            code="merge-conflict",
            found=f"line {number}: {lines[number - 1]}",
            action=f"choose: edit it, or `git checkout --ours {path}` (or --theirs)",
        )


def refuse_damaged(path: Path, key: str) -> None:
    """Raise SettingsError where a YAML file that a program has written does not hold a mapping under `key`."""
    content = read_yaml(path)
    if not isinstance(content.get(key), Mapping):
        raise SettingsError(
            f"{path} is damaged",
            code="damaged-file",
            expected=f"a mapping called {key}",
            found=shortened(", ".join(map(str, content)) or "nothing"),
            action=f"take it from git (git checkout {path}), or remove it: it is written again",
        )


def validate(kind: type[S], values: Mapping[str, Any], where: str) -> S:
    """Make settings of class `kind` from `values`; `where` (file and section) opens the message of an error.

    Nothing is converted between kinds of values: as in JSON, true is not 1, "3" is not 3, and 2.0 is not an integer.
    Raises SettingsError naming the key, what was expected, what was found and, for an unknown key, the nearest one.
    """
    try:
        made = kind.model_validate_json(to_json(dict(values), inf_nan_mode="constants"), strict=True)
    except PydanticSerializationError as error:
        raise SettingsError(f"{where}: no settings", code="no-settings", found=str(error)) from error
    except ValidationError as error:
        raise _explain(error, kind, values, where) from None
    _check_numbers(values, made.model_dump(), where)
    return made


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of nested mappings; a list is one value."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def shortened(value: Any) -> str:
    """A value as text; of a long one the beginning."""
    text = str(value)
    return text if len(text) <= LONGEST_FOUND else f"{text[:LONGEST_FOUND]} ..."


def nearest(name: str, known: Iterable[str]) -> str:
    """A phrase that offers the known name closest to `name`, or lists all of them when none is close."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'? (known: {', '.join(names)})" if close else f"use one of: {', '.join(names)}"


def _check_numbers(given: Any, made: Any, where: str, key: str = "") -> None:
    """Refuse booleans that became numbers, as the choices of a Literal allow, and numbers above LARGEST."""
    if isinstance(given, Mapping) and isinstance(made, Mapping):
        for each in given.keys() & made.keys():
            _check_numbers(given[each], made[each], where, f"{key}.{each}".lstrip("."))
    elif isinstance(given, (list, tuple)) and isinstance(made, (list, tuple)):
        for place, pair in enumerate(zip(given, made, strict=True)):
            _check_numbers(*pair, where, f"{key}.{place}")
    elif isinstance(given, bool) and not isinstance(made, bool):
        raise SettingsError(f"{where}: key '{key}' is wrong", code="bad-value", expected="a number", found=str(given))
    elif isinstance(given, int | float) and abs(given) > LARGEST:
        raise SettingsError(
            f"{where}: key '{key}' is too large",
            code="bad-value",
            expected=f"at most {LARGEST:g}",
            found=shortened(repr(given)),
        )


def _explain(error: ValidationError, kind: type[Settings], values: Mapping[str, Any], where: str) -> SettingsError:
    """The error of the first wrong key, with all that it may be where it has alternatives."""
    found: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for each in error.errors(include_url=False):
        found.setdefault(_key(each["loc"], values, missing=each["type"] == "missing"), []).append(each)
    path, (first, *others) = next(iter(found.items()))
    key = ".".join(path) or "(all of it)"
    more = f" ({len(found) - 1} more problems in this section)" if len(found) > 1 else ""
    if first["type"] == "extra_forbidden":
        return SettingsError(
            f"{where}: unknown key '{key}'{more}",
            code="unknown-key",
            found=shortened(repr(first["input"])),
            action=nearest(path[-1], _keys_at(kind, path[:-1])),
        )
    if first["type"] == "missing":
        return SettingsError(f"{where}: key '{key}' is missing{more}", code="missing-key", action="add it")
    return SettingsError(
        f"{where}: key '{key}' is wrong{more}",
        code="bad-value",
        expected=" or ".join(dict.fromkeys(PREFIX.sub("", each["msg"]) for each in (first, *others))),
        found=shortened(repr(first["input"])),
    )


def _key(place: tuple[int | str, ...], values: Any, missing: bool) -> tuple[str, ...]:
    """The part of an error's place that leads through the settings; the rest names alternatives of a type."""
    path: list[str] = []
    for part in place:
        if isinstance(values, Mapping) and part not in values and part == values.get("kind"):
            continue  # names the alternative that `kind` chose
        if isinstance(values, Mapping) and (part in values or missing):
            values = values.get(part)
        elif isinstance(values, (list, tuple)) and isinstance(part, int):
            values = values[part] if part < len(values) else None
        else:
            break
        path.append(str(part))
    return tuple(path)


def _keys_at(kind: type[Settings], path: tuple[str, ...]) -> list[str]:
    """The keys known at `path` inside `kind`, of all alternatives; where it leads through a dict, those before it."""
    kinds = [kind]
    for part in path:
        found = [inner for each in kinds if part in each.model_fields for inner in _settings_in(each, part)]
        if not found:
            break
        kinds = found
    return list(dict.fromkeys(key for each in kinds for key in each.model_fields))


def _settings_in(kind: type[Settings], key: str) -> list[type[Settings]]:
    """The classes of settings that a key may hold."""
    waiting, found = [kind.model_fields[key].annotation], list[type[Settings]]()
    while waiting:
        each = waiting.pop()
        if isinstance(each, type) and issubclass(each, Settings):
            found.append(each)
        elif get_origin(each) is not dict:
            waiting += get_args(each)
    return found
