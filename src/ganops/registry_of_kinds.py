"""One mechanism to add a kind of something: a file of a package registers it, a settings section picks it by `kind`."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from ganops.errors import SettingsError
from ganops.settings import Settings, nearest, validate

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])


def _itself(settings: Any) -> Any:
    return settings


class KindRegistry(Generic[T]):
    """The kinds of one category (networks, games, fields, ...), each defined by a file below `package`.

    A class joins with `@REGISTRY.add("name", ItsSettings)` and is made by `REGISTRY.build(section, where, ...)`, which
    calls it with its checked settings first and the remaining arguments after. A Settings class that is itself what is
    wanted joins with `@REGISTRY.add("name")`.

    Looking a kind up imports the file that defines it and no other, so that a missing optional dependency of one kind
    cannot break another. Which file that is, is read from the text of the files: the registry's own name, `.add(`, and
    the kind as a literal string.
    """

    def __init__(self, category: str, package: str, variable: str) -> None:
        self.category, self.package, self.variable = category, package, variable
        self._known: dict[str, tuple[type[Settings], Callable[..., T]]] = {}

    def add(self, kind: str, settings: type[Settings] | None = None) -> Callable[[C], C]:
        """Class decorator that makes the class known as `kind`; without `settings` it is its own settings."""

        def register(cls: C) -> C:
            self._known[kind] = (cls, _itself) if settings is None else (settings, cls)
            return cls

        return register

    def names(self) -> list[str]:
        """All kinds, sorted."""
        return sorted({*self._known, *self._modules})

    def module_of(self, kind: str) -> str | None:
        """The module that defines a kind; None for a kind that was added by hand, or is unknown."""
        return self._modules.get(kind)

    def settings(self, section: Mapping[str, Any], where: str) -> Settings:
        """Check a section; raises SettingsError naming the key and the nearest valid name."""
        return self._parse(section, where)[1]

    def build(self, section: Mapping[str, Any], where: str, *arguments: Any) -> T:
        """Check a section and make what it describes."""
        make, settings = self._parse(section, where)
        return make(settings, *arguments)

    def _parse(self, section: Mapping[str, Any], where: str) -> tuple[Callable[..., T], Settings]:
        kind = section.get("kind")
        if kind is None:
            raise SettingsError(
                f"{where}: key 'kind' is missing", code="missing-key", expected=f"one of: {', '.join(self.names())}"
            )
        settings, make = self._find(str(kind), where)
        return make, validate(settings, {key: value for key, value in section.items() if key != "kind"}, where)

    def _find(self, kind: str, where: str) -> tuple[type[Settings], Callable[..., T]]:
        if kind not in self._known and kind in self._modules:
            importlib.import_module(self._modules[kind])
        if kind not in self._known:
            raise SettingsError(
                f"{where}: unknown {self.category} '{kind}'",
                code="unknown-kind",
                found=kind,
                action=nearest(kind, self.names()),
            )
        return self._known[kind]

    @cached_property
    def _modules(self) -> dict[str, str]:
        """The module that adds each kind, found by reading the package's files."""
        added = re.compile(rf'\b{self.variable}\.add\(\s*"([^"]+)"')
        folder = Path(importlib.import_module(self.package).__path__[0])
        return {
            kind: f"{self.package}.{file.stem}"
            for file in sorted(folder.glob("*.py"))
            for kind in added.findall(file.read_text(encoding="utf-8"))
        }
