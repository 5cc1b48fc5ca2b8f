"""The reference is what the code says, and keys get their words from docstrings, comments and bounds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.reference import comments
from tools.source import Source, explained


def test_the_reference_is_current() -> None:
    """In a process of its own: what other tests have imported and set does not show in the help of commands."""
    command = [sys.executable, "-m", "tools.reference", "--check"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_docstring_explains_several_keys_in_a_line() -> None:
    about, meanings = explained(
        "What it is.\n\n lr: step length. a, b: betas: of Adam;\n c: last.", ["lr", "a", "b", "c"]
    )
    assert about == "What it is."
    assert meanings == {"lr": "step length", "a": "betas: of Adam", "b": "betas: of Adam", "c": "last"}


def test_comments_of_yaml_lines_are_found_by_dotted_key() -> None:
    assert comments("a:  # of all\n  b: '#1'  # of b\n  c: {x: 1}\nd: 2 # of d") == {
        "a": "of all",
        "a.b": "of b",
        "a.c": "",
        "d": "of d",
    }


def test_types_bounds_defaults_and_inherited_keys_are_read_from_the_text(tmp_path: Path) -> None:
    package = tmp_path / "ganops"
    package.mkdir()
    (package / "settings.py").write_text("class Settings:\n    pass\n")
    (package / "one.py").write_text(
        "from typing import Annotated, Literal\n"
        "from ganops.settings import Settings\n"
        "Name = Literal['x', 'y']\n"
        "MOST = (1, 2)\n"
        "class Base(Settings):\n"
        "    width: int = Field(default=8, ge=1)\n"
        "class Own(Base):\n"
        "    '''name: which. share: of all.'''\n"
        "    name: Name | None = None\n"
        "    share: Annotated[float, Field(gt=0, lt=1)]\n"
        "    sizes: tuple[int, ...] = MOST\n"
        "    hidden: ClassVar[int] = 3\n"
    )
    source = Source(package, root=tmp_path)
    own = source.section("Own", source.modules["ganops.one"])
    assert [(key.name, key.type, key.default, key.meaning) for key in own.keys] == [
        ("name", "`x`, `y` or null", "`null`", "which"),
        ("share", "number, > 0, < 1", None, "of all"),
        ("sizes", "list of: whole number", "`[1, 2]`", ""),
    ]
    (base,) = own.bases
    assert [(key.name, key.type, key.default) for key in base.keys] == [("width", "whole number, >= 1", "`8`")]
