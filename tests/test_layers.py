"""Imports only point down: from orchestration through the library's rooms to settings and errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From top to bottom; a room may import its own line and what stands below it.
LAYERS = (
    ("pipeline.flows",),
    ("pipeline.stages", "pipeline.environment", "pipeline.plots_page", "pipeline.set_params", "pipeline.__main__"),
    ("ganops.cli", "ganops.commands"),
    ("ganops.registry",),
    ("ganops.tracking",),
    ("ganops.reporting",),
    ("ganops.training", "ganops.evaluation"),
    ("ganops.games",),
    ("ganops.networks", "ganops.objectives"),
    ("ganops.data",),
    ("ganops.recipe", "ganops.params", "ganops.registry_of_kinds"),
    ("ganops.progress", "ganops.settings", "ganops.atomic", "ganops.errors"),
)
DEPTH = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}
SOURCES = sorted([*ROOT.glob("src/ganops/**/*.py"), *ROOT.glob("pipeline/**/*.py")])


def module_of(path: Path) -> str:
    relative = path.relative_to(ROOT / "src" if (ROOT / "src") in path.parents else ROOT)
    return ".".join(relative.with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, inside functions and for type checks too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it points"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    return next((room for room in DEPTH if module == room or module.startswith(f"{room}.")), None)


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_imports_point_down(path: Path) -> None:
    module = module_of(path)
    room = room_of(module)
    if room is None:
        assert module in ("ganops", "pipeline"), f"{module} belongs to no layer: give it one in LAYERS"
        return
    up = {name for name in imported(path) if (other := room_of(name)) and DEPTH[other] < DEPTH[room]}
    assert not up, f"{module} ({room}) imports what stands above it"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_each_tool_is_known_to_its_own_rooms_only(path: Path) -> None:
    """MLflow belongs to tracking and registry, Prefect to the flows, DVC to the pipeline."""
    module = module_of(path)
    tools = {name.split(".")[0] for name in imported(path)}
    allowed = {
        "mlflow": module.startswith(("ganops.tracking", "ganops.registry")),
        "prefect": module.startswith("pipeline.flows"),
        "dvc": module.startswith("pipeline"),
        "pipeline": module.startswith("pipeline"),
    }
    assert not {tool for tool in tools if not allowed.get(tool, True)}, f"{module} imports a tool that is not its own"
