"""The digest of the code that one training reaches, so that a change elsewhere does not train anything again.

Imports are followed through the syntax trees of the files, those inside functions too. Kinds (networks, games, ...) are
looked up lazily by name, which a syntax tree does not show: the files of the kinds that a recipe names are start points
of their own. A new file next to them therefore does not change any digest.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

from ganops.registry_of_kinds import KindRegistry

SOURCES = Path(__file__).resolve().parent  # src/ganops
PIPELINE = "pipeline"
REGISTRY = re.compile(r'KindRegistry\(\s*"([^"]+)",\s*"([^"]+)",\s*"([^"]+)",?\s*\)')

# Code that carries results about and decides none: settings, files, progress, errors, records, models by name.
MACHINERY = (
    *("ganops.atomic", "ganops.errors", "ganops.file_digest", "ganops.params", "ganops.progress", "ganops.resolved"),
    *("ganops.registry_of_kinds", "ganops.settings", "ganops.workspace", "ganops.tracking", "ganops.registry"),
    *("ganops.data.manifest", "pipeline.environment", "ganops.machine", "pipeline.stages.entry"),
)


def code_of(start: Iterable[str]) -> dict[str, str]:
    """Module name to the sha256 of its code, for every module of this project that `start` (module names) reaches."""
    found: dict[str, str] = {}
    waiting = list(start)
    while waiting:
        module = waiting.pop()
        if module in found or _is_machinery(module):
            continue
        file = file_of(module)
        if file is not None:
            found[module], needed = _read(file.read_text(encoding="utf-8"))
            waiting += needed
    return dict(sorted(found.items()))


@cache
def _read(source: str) -> tuple[str, tuple[str, ...]]:
    """The sha256 of the code of a file, and the modules that it imports."""
    return hashlib.sha256(code_only(source).encode()).hexdigest(), tuple(imports_of(source))


def digest(code: Mapping[str, str]) -> str:
    """One sha256 for all of what `code_of` found."""
    return hashlib.sha256("\n".join(f"{name} {each}" for name, each in code.items()).encode()).hexdigest()


def modules_of_kinds(settings: Any) -> set[str]:
    """The modules of all kinds that settings (a recipe, fields of data) name by `kind:`, at any depth."""
    if isinstance(settings, Mapping):
        kind = settings.get("kind")
        own = {module for each in registries() if isinstance(kind, str) and (module := each.module_of(kind))}
        return own.union(*map(modules_of_kinds, settings.values()))
    if isinstance(settings, (list, tuple)):
        return set[str]().union(*map(modules_of_kinds, settings))
    return set()


@cache
def registries() -> tuple[KindRegistry[Any], ...]:
    """Every registry of kinds, found by reading the files, so that nothing heavy is imported."""
    found = {match for file in SOURCES.rglob("*.py") for match in REGISTRY.findall(file.read_text(encoding="utf-8"))}
    return tuple(KindRegistry(*match) for match in sorted(found))


def file_of(module: str) -> Path | None:
    """The source file of a module of this project; None for packages and for everything else."""
    first, *rest = module.split(".")
    roots = {"ganops": SOURCES, PIPELINE: Path(PIPELINE)}
    if first not in roots or not rest:
        return None
    file = roots[first].joinpath(*rest).with_suffix(".py")
    return file if file.is_file() else None


def imports_of(source: str) -> Iterator[str]:
    """Every module that a file imports, inside functions too, but not what only type checkers read."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def code_only(source: str) -> str:
    """The source without comments, docstrings and blank lines: what is left decides what a program does."""
    lines, kept = source.splitlines(), set[int]()
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {first.value: first for node in nodes if (first := _docstring(node, lines))}
    for node in nodes:
        if _is_text(node) and node not in docstrings:
            kept.update(_lines_of(node))  # an empty line inside a string is part of it
    for docstring in docstrings.values():
        for number in _lines_of(docstring):
            lines[number] = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start[0] - 1, token.start[1]
            lines[row] = lines[row][:column]
    return "\n".join(line.rstrip() for number, line in enumerate(lines) if line.strip() or number in kept)


def _docstring(node: ast.AST, lines: list[str]) -> ast.Expr | None:
    """The docstring of a module, class or function, where it has lines of its own."""
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return None
    first = node.body[0]
    own_lines = not lines[first.lineno - 1][: first.col_offset].strip()
    return first if isinstance(first, ast.Expr) and _is_text(first.value) and own_lines else None


def _is_text(node: ast.AST) -> TypeGuard[ast.expr]:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _lines_of(node: ast.stmt | ast.expr) -> range:
    return range(node.lineno - 1, node.end_lineno or node.lineno)


def _is_machinery(module: str) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in MACHINERY)
