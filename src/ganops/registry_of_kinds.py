"""Alternatives chosen by a literal `kind`: each file of a package adds its own, a recipe's section picks one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from ganops.errors import SettingsError
from ganops.settings import Settings, nearest, validate

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])


class KindRegistry(Generic[T]):
    """The kinds of one sort of part, found by importing every file of `package` when first asked.

    A class joins with `@KINDS.add("name", ItsSettings)` and is made by `KINDS.build(section, where, ...)`, which
    calls it with its checked settings first and the remaining arguments after.
    """

    def __init__(self, sort: str, package: str) -> None:
        self.sort, self.package = sort, package
        self._known: dict[str, tuple[type[Settings], Callable[..., T]]] = {}

    def add(self, kind: str, settings: type[Settings]) -> Callable[[C], C]:
        """Class decorator that makes the class known as `kind`."""

        def register(cls: C) -> C:
            self._known[kind] = (settings, cls)
            return cls

        return register

    def names(self) -> list[str]:
        """All kinds, sorted."""
        self._discover()
        return sorted(self._known)

    def settings(self, section: Mapping[str, Any], where: str) -> Settings:
        """Check a section; raises SettingsError naming the key and the nearest valid name."""
        return self._parse(section, where)[1]

    def build(self, section: Mapping[str, Any], where: str, *arguments: Any) -> T:
        """Check a section and make the part it describes."""
        make, settings = self._parse(section, where)
        return make(settings, *arguments)

    def _parse(self, section: Mapping[str, Any], where: str) -> tuple[Callable[..., T], Settings]:
        self._discover()
        kind = section.get("kind")
        if kind is None:
            raise SettingsError(f"{where}: key 'kind' is missing", expected=f"one of: {', '.join(self.names())}")
        if kind not in self._known:
            raise SettingsError(f"{where}: there is no {self.sort} '{kind}'", action=nearest(str(kind), self._known))
        settings, make = self._known[kind]
        return make, validate(settings, {key: value for key, value in section.items() if key != "kind"}, where)

    def _discover(self) -> None:
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
