"""One function computes the sha256 of every file."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ganops.file_digest import file_sha256

ROOT = Path(__file__).resolve().parent.parent


def test_it_is_that_of_the_content(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_no_other_place_computes_it() -> None:
    own = re.compile(r"file_digest\(|sha256\([^)]*read_bytes")
    files = [*ROOT.glob("src/**/*.py"), *ROOT.glob("pipeline/**/*.py")]
    assert [file.name for file in files if own.search(file.read_text(encoding="utf-8"))] == ["file_digest.py"]
