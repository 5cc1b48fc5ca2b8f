"""Imports only point down: from orchestration through the library's rooms to settings and errors."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# From top to bottom; a room may import its own line and what stands below it.
LAYERS = (
    ("pipeline.flows",),
    (
        "pipeline.stages",
        "pipeline.set_params",
        "pipeline.own_data",
        "pipeline.plots_page",
        "pipeline.ui",
        "pipeline.__main__",
    ),
    ("pipeline.environment",),
    ("ganops.__main__", "ganops.cli", "ganops.commands"),
    ("ganops.serving", "ganops.exporting"),
    ("ganops.api",),
    ("ganops.search",),
    ("ganops.resolve", "ganops.check", "ganops.trial", "ganops.tracked_training"),
    ("ganops.memory_needs",),
    ("ganops.registry",),
    ("ganops.tracking",),
    ("ganops.reporting",),
    ("ganops.evaluation",),
    ("ganops.training", "ganops.applying"),
    ("ganops.games",),
    ("ganops.networks", "ganops.objectives"),
    ("ganops.data",),
    ("ganops.code_digest",),
    ("ganops.resolved",),
    ("ganops.recipe", "ganops.params", "ganops.registry_of_kinds"),
    (
        "ganops.progress",
        "ganops.schedules",
        "ganops.seeds",
        "ganops.services",
        "ganops.settings",
        "ganops.slots",
        "ganops.termination",
        "ganops.workspace",
        "ganops.atomic",
        "ganops.credentials",
        "ganops.devices",
        "ganops.machine",
        "ganops.errors",
        "ganops.file_digest",
        "ganops.file_lock",
        "ganops.malloc",
        "ganops.printing",
    ),
)
DEPTH = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}
SOURCES = sorted([*ROOT.glob("src/ganops/**/*.py"), *ROOT.glob("pipeline/**/*.py")])


def module_of(path: Path) -> str:
    relative = path.relative_to(ROOT / "src" if (ROOT / "src") in path.parents else ROOT)
    return ".".join(relative.with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, inside functions and for type checks too."""
    yield from imports_of(ast.walk(ast.parse(path.read_text(encoding="utf-8"))), path)


def imports_of(nodes: Iterable[ast.AST], path: Path) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it points"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    return next((room for room in DEPTH if module == room or module.startswith(f"{room}.")), None)


def test_every_module_has_a_layer() -> None:
    assert {module for module in map(module_of, SOURCES) if room_of(module) is None} == {"ganops", "pipeline"}


def test_imports_point_down() -> None:
    up = [
        f"{module_of(path)} imports {name}"
        for path in SOURCES
        if (room := room_of(module_of(path)))
        for name in imported(path)
        if (other := room_of(name)) and DEPTH[other] < DEPTH[room]
    ]
    assert not up


# Which modules may import a tool.
USERS = {
    "mlflow": ("ganops.tracking", "ganops.registry"),
    "prefect": ("pipeline.flows",),
    "dvc": ("pipeline",),
    "pipeline": ("pipeline",),
}


def test_each_tool_is_known_to_its_own_rooms_only() -> None:
    strangers = [
        f"{module_of(path)} imports {name}"
        for path in SOURCES
        for name in imported(path)
        if not module_of(path).startswith(USERS.get(name.split(".")[0], ""))
    ]
    assert not strangers


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Counted are imports that run when a module is imported: not those inside functions or for type checks."""
    modules = {module_of(path): path for path in SOURCES}
    graph = {
        module: {name for name in imports_of(ast.parse(path.read_text(encoding="utf-8")).body, path) if name in modules}
        for module, path in modules.items()
    }
    TopologicalSorter({module: needed - {module} for module, needed in graph.items()}).prepare()  # raises CycleError


# In a process of its own, which has imported none of them.
LOOKUPS = """
import sys
from ganops.data.sources.source import find_source
from ganops.evaluation.metric_names import describe
find_source("digits"), describe("fid_classifier")
print(*(name for name in sys.modules if name.startswith(("ganops.data.sources.", "ganops.evaluation.metrics."))))
"""


def test_a_lookup_of_a_source_or_a_metric_imports_its_file_alone() -> None:
    done = subprocess.run([sys.executable, "-c", LOOKUPS], capture_output=True, text=True, check=True)
    known = {"ganops.data.sources.source", "ganops.data.sources.digits", "ganops.evaluation.metrics.fid"}
    assert set(done.stdout.split()) == known


RESULTS = re.compile(r"^(results|checkpoints|profiles|data/(raw|prepared)|pipeline/(recipes|resolved)|logs)(/|$)")


def test_only_the_workspace_knows_where_files_lie() -> None:
    """Paths in messages and docstrings are for people; a path that is opened comes from ganops.workspace."""
    # The latter names torch's own folder of downloads.
    others = [path for path in SOURCES if not path.match("ganops/workspace.py") and path.name != "inception.py"]
    spelled = [
        f"{module_of(path)}: {node.value}"
        for path in others
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call | ast.BinOp)
        for node in ast.iter_child_nodes(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and RESULTS.match(node.value)
    ]
    assert not spelled, "take these from WORKSPACE"
