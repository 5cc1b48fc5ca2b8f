"""Whatever the terminal or log can show, no command ends because of a character."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NARROW = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1:strict"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]
ENTRIES = {
    "command": "import click; from ganops import cli\n@click.command()\n"
    "def shown(): click.echo('FID \\u2193 \\xfc \\udcff')\n"
    "cli.CommandFolder.get_command = lambda *_: shown\nimport sys; sys.argv = ['ganops', 'x']; cli.main()",
    "stage": "from pipeline.stages.entry import run_stage; run_stage(lambda: print('FID \\u2193 \\xfc \\udcff'))",
    "child": "import pipeline, subprocess, sys\n"
    "subprocess.run([sys.executable, '-c', 'print(\"FID \" + chr(0x2193) + chr(0xdcff))'], check=True)",
}


@pytest.mark.parametrize("narrow", NARROW, ids=str)
@pytest.mark.parametrize("entry", ENTRIES)
def test_what_cannot_be_shown_is_written_as_numbers(narrow: dict[str, str], entry: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    environment |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"} | narrow
    done = subprocess.run([sys.executable, "-c", ENTRIES[entry]], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    # click writes UTF-8 where the encoding is ASCII.
    assert done.stdout.startswith((b"FID \\u2193", "FID \u2193".encode()))
