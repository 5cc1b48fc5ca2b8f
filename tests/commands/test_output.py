"""Every option that names a file to write refuses what cannot be written, before any work."""

from __future__ import annotations

import importlib
import stat
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ganops import cli
from ganops.commands._output import OutputFile

ARGUMENTS = {"compare": ["left", "right"], "evaluate": ["made", "-r", "real"], "evidence": [], "sample": []}


def options() -> list[tuple[str, str, OutputFile]]:
    """All such options of all commands."""
    found = []
    for path in sorted(cli.COMMANDS.glob("[!_]*.py")):
        command: click.Command = importlib.import_module(f"ganops.commands.{path.stem}").command
        found += [(path.stem, each.opts[0], each.type) for each in command.params if isinstance(each.type, OutputFile)]
    return found


def test_each_option_that_writes_is_of_this_type() -> None:
    assert [(command, option) for command, option, _ in options()] == [
        ("compare", "-o"),
        ("evaluate", "--json"),
        ("evaluate", "--save-statistics"),
        ("evidence", "--out"),
        ("sample", "-o"),
    ]


@pytest.mark.parametrize(("command", "option", "kind"), options(), ids=lambda each: str(each)[:20])
def test_what_cannot_be_written_is_a_usage_error(tmp_path: Path, command: str, option: str, kind: OutputFile) -> None:
    suffix = (*kind.suffixes, ".json")[0]
    (tmp_path / f"folder{suffix}").mkdir()
    wrong = [tmp_path, "", f"{tmp_path}/folder{suffix}", tmp_path / "nowhere" / f"x{suffix}", tmp_path / ("x" * 300)]
    if kind.suffixes:
        wrong += [tmp_path / "x", tmp_path / "x.txt"]
    else:
        wrong.append("/dev/null")
    for each in wrong:
        done = CliRunner().invoke(cli.ganops, [command, *ARGUMENTS[command], option, str(each)])
        assert done.exit_code == 2, (each, done.output)
        assert "cannot be written" in done.output
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == [f"folder{suffix}"]


def test_a_read_only_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    with pytest.raises(click.BadParameter, match="read-only"):
        OutputFile().convert(tmp_path / "x", None, None)


def test_a_graph_is_not_written_over_a_folder(tmp_path: Path) -> None:
    """`ganops export` writes a folder in one format and a file in the others."""
    refused = CliRunner().invoke(cli.ganops, ["export", "tiny", "--format", "pt2", "-o", str(tmp_path)])
    assert refused.exit_code == 2
    assert "it is a folder" in refused.output
