"""Downloads of weight files continue where they stopped, and only the right file counts."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ganops.errors import EvaluationError
from ganops.evaluation.extractors.weights import download

CONTENT = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Ranges(BaseHTTPRequestHandler):
    """Serves CONTENT, from where the client asks for it on."""

    asked: list[str | None]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:])

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[str | None]]]:
    """Address of a file server, and the ranges it was asked for."""
    Ranges.asked = []
    with HTTPServer(("127.0.0.1", 0), Ranges) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/weights.pth", Ranges.asked
        http.shutdown()
        thread.join()


def test_a_whole_download(server: tuple[str, list[str | None]], tmp_path: Path) -> None:
    path = tmp_path / "cache" / "weights.pth"
    download(server[0], path, DIGEST[:8])
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["weights.pth"]


@pytest.mark.parametrize("have", [1000, len(CONTENT)])
def test_a_broken_off_download_goes_on(server: tuple[str, list[str | None]], tmp_path: Path, have: int) -> None:
    path = tmp_path / "weights.pth"
    path.with_suffix(".part").write_bytes(CONTENT[:have])
    download(server[0], path, DIGEST[:8])
    assert path.read_bytes() == CONTENT
    assert server[1] == [f"bytes={have}-"]


def test_another_file_than_expected_is_thrown_away(server: tuple[str, list[str | None]], tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.with_suffix(".part").write_bytes(b"begun with something else")
    with pytest.raises(EvaluationError) as caught:
        download(server[0], path, DIGEST[:8])
    assert caught.value.code == "wrong-digest"
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError) as caught:
        download("http://127.0.0.1:9/weights.pth", tmp_path / "weights.pth", DIGEST[:8])
    assert caught.value.code == "download-failed"
    assert not (tmp_path / "weights.pth").exists()
