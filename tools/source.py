"""Settings classes, kinds, metrics and errors as the source text has them: read, not imported, which takes a second."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src"
BOUNDS = {"ge": ">= {}", "gt": "> {}", "le": "<= {}", "lt": "< {}"}
WHITESPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Key:
    """One key of a settings class: its type and bounds, default (None: it has to be given) and meaning as text."""

    name: str
    type: str
    default: str | None
    meaning: str


@dataclass(frozen=True)
class Section:
    """A settings class: its sentence without what it says of single keys, its own keys, and what it inherits from."""

    name: str
    about: str
    keys: tuple[Key, ...]
    bases: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Kind:
    """What `kind: name` selects: the class that is built, and its settings."""

    name: str
    about: str
    settings: Section


class Module:
    """One file: its classes, its aliases of types, and where its imported names come from."""

    def __init__(self, path: Path, root: Path) -> None:
        self.name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.classes = {node.name: node for node in self.tree.body if isinstance(node, ast.ClassDef)}
        self.values: dict[str, ast.expr] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.values[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self.values[node.target.id] = node.value
        for found in ast.walk(self.tree):
            if isinstance(found, ast.ImportFrom) and found.module is not None:
                for alias in found.names:
                    self.imports[alias.asname or alias.name] = (found.module, alias.name)


class Source:
    """All files below `package`; root: the folder that module names begin in."""

    def __init__(self, package: Path = PACKAGE / "ganops", root: Path = PACKAGE) -> None:
        found = (Module(path, root) for path in sorted(package.rglob("*.py")))
        self.modules = {module.name: module for module in found}

    def find_class(self, name: str, module: Module) -> tuple[ast.ClassDef, Module] | None:
        """The class that a name means in a module; None for one that is defined elsewhere than in the package."""
        if name in module.classes:
            return module.classes[name], module
        origin, original = module.imports.get(name, ("", ""))
        return self.find_class(original, self.modules[origin]) if origin in self.modules else None

    def find_value(self, name: str, module: Module) -> tuple[ast.expr, Module] | None:
        """The expression that a module-level name stands for."""
        if name in module.values:
            return module.values[name], module
        origin, original = module.imports.get(name, ("", ""))
        return self.find_value(original, self.modules[origin]) if origin in self.modules else None

    def is_settings(self, name: str, module: Module) -> bool:
        """Whether a class is derived from ganops.settings.Settings."""
        found = self.find_class(name, module)
        if found is None:
            return False
        node, home = found
        if (node.name, home.name) == ("Settings", "ganops.settings"):
            return True
        return any(isinstance(base, ast.Name) and self.is_settings(base.id, home) for base in node.bases)

    def section(self, name: str, module: Module) -> Section:
        """The settings class called `name` in a module."""
        found = self.find_class(name, module)
        assert found is not None, name
        node, home = found
        own = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
        fields = {each.target.id: each for each in own if not _hidden(each)}
        named = (base.id for base in node.bases if isinstance(base, ast.Name) and self.is_settings(base.id, home))
        bases = tuple(found for name in named if (found := self.section(name, home)).keys or found.bases)
        about, meanings = explained(ast.get_docstring(node) or "", list(fields))
        keys = (
            Key(key, self._type(field, home), self._default(field, home), meanings.get(key, ""))
            for key, field in fields.items()
        )
        return Section(node.name, about, tuple(keys), bases)

    def kinds(self, package: str, variable: str) -> list[Kind]:
        """All kinds of one registry, sorted by name."""
        found = list[Kind]()
        for module in self.modules.values():
            if not module.name.startswith(f"{package}."):
                continue
            for node in module.classes.values():
                for call in node.decorator_list:
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == f"{variable}.add":
                        name, *settings = (ast.literal_eval(call.args[0]), *map(ast.unparse, call.args[1:]))
                        about = first_paragraph(ast.get_docstring(node) or "")
                        section = self.section(settings[0] if settings else node.name, module)
                        found.append(Kind(name, about if settings else section.about, section))
        return sorted(found, key=lambda kind: kind.name)

    @cached_property
    def sections_by_name_lower(self) -> dict[str, tuple[str, Module]]:
        """Every settings class by its name in small letters, as anchors have it: its name, and its module."""
        return {
            name.lower(): (name, module)
            for module in self.modules.values()
            for name in module.classes
            if self.is_settings(name, module)
        }

    def calls(self, function: str) -> Iterator[tuple[ast.Call, Module]]:
        """Every call of a function or class by its plain name."""
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
                    yield node, module

    def _type(self, field: ast.AnnAssign, module: Module) -> str:
        words = self._words(field.annotation, module)
        bounds = _bounds(field.value) if isinstance(field.value, ast.Call) else []
        return ", ".join([words, *bounds])

    def _words(self, node: ast.expr, module: Module) -> str:
        if isinstance(node, ast.BinOp):
            return f"{self._words(node.left, module)} or {self._words(node.right, module)}"
        if isinstance(node, ast.Constant):
            return "null" if node.value is None else f"`{node.value}`"
        if isinstance(node, ast.Name):
            return self._named(node.id, module)
        if isinstance(node, ast.Subscript):
            return self._generic(ast.unparse(node.value), node.slice, module)
        return ast.unparse(node)

    def _named(self, name: str, module: Module) -> str:
        plain = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path"}
        plain |= {"Any": "anything", "PositiveFloat": "number, > 0", "PositiveInt": "whole number, > 0"}
        if name in plain:
            return plain[name]
        if self.find_class(name, module) is not None:
            return f"[section](#{name.lower()})" if self.is_settings(name, module) else name
        found = self.find_value(name, module)
        return name if found is None else self._words(*found)

    def _generic(self, outer: str, inner: ast.expr, module: Module) -> str:
        parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        if outer == "Literal":
            return ", ".join("null" if each is None else f"`{each}`" for each in map(ast.literal_eval, parts))
        if outer == "Annotated":
            calls = [each for each in parts[1:] if isinstance(each, ast.Call)]
            return ", ".join([self._words(parts[0], module), *(text for call in calls for text in _bounds(call))])
        if outer == "dict":
            return f"mapping of names to {self._words(parts[1], module)}"
        if outer in ("tuple", "list"):
            many = outer == "list" or (len(parts) == 2 and ast.unparse(parts[1]) == "...")
            words = [self._words(each, module) for each in (parts[:1] if many else parts)]
            return f"list of: {words[0]}" if many else f"[{', '.join(words)}]"
        return ast.unparse(inner)

    def _default(self, field: ast.AnnAssign, module: Module) -> str | None:
        value = field.value
        if isinstance(value, ast.Call) and ast.unparse(value.func).endswith(("Field", "Bounded")):
            given = {word.arg: word.value for word in value.keywords}
            if "default_factory" in given:
                return "`{}`" if ast.unparse(given["default_factory"]) == "dict" else "see params.yaml"
            value = given.get("default", value.args[0] if value.args else None)
        if value is None:
            return None
        if isinstance(value, ast.Call):
            return "its defaults"
        if isinstance(value, ast.Name) and (found := self.find_value(value.id, module)) is not None:
            value = found[0]
        try:
            return f"`{_written(ast.literal_eval(value))}`"
        except ValueError:
            return "its defaults"


def explained(doc: str, keys: list[str]) -> tuple[str, dict[str, str]]:
    """What a docstring says of all, and of each key: `key: text` or `key, other: text` until the next of them."""
    text = WHITESPACE.sub(" ", doc).strip()
    if not keys:
        return text, {}
    name = "|".join(sorted(map(re.escape, keys), key=len, reverse=True))
    heads = list(re.finditer(rf"(?:(?<=^)|(?<=[.;] ))((?:{name})(?:, (?:{name}))*): ", text))
    if not heads:
        return text, {}
    meanings: dict[str, str] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        meaning = text[head.end() : following.start() if following else len(text)].strip().rstrip(";.")
        meanings |= dict.fromkeys(head[1].split(", "), meaning)
    return text[: heads[0].start()].strip(), meanings


def first_paragraph(doc: str) -> str:
    """Its text in one line."""
    return WHITESPACE.sub(" ", doc.split("\n\n")[0]).strip()


def _written(value: object) -> str:
    """As YAML has it."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_written, value))}]"
    return {"None": "null", "True": "true", "False": "false"}.get(str(value), str(value))


def _hidden(field: ast.AnnAssign) -> bool:
    name = ast.unparse(field.target)
    return name.startswith("_") or "ClassVar" in ast.unparse(field.annotation)


def _bounds(call: ast.Call) -> list[str]:
    return [BOUNDS[word.arg].format(_number(word.value)) for word in call.keywords if word.arg in BOUNDS]


def _number(node: ast.expr) -> str:
    return "2^31" if ast.unparse(node) == "2 ** 31" else ast.unparse(node)
