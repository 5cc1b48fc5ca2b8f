"""Weight files: downloads go on where they stopped, only the right file counts, and no code in them ever runs."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import torch

from ganops.errors import EvaluationError
from ganops.evaluation.extractors.weights import download, load_state, sha256_of

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


def test_the_right_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.arange(3.0)}, path)
    assert load_state(path, sha256_of(path)[:8])["weight"].tolist() == [0, 1, 2]


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.arange(3.0)}, path)
    expected = sha256_of(path)[:8]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(EvaluationError) as caught:
        load_state(path, expected)
    assert caught.value.code == "wrong-digest"


class Trap:
    """A pickle of this would write a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (str(self.target),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol 4")
def test_code_in_a_weight_file_never_runs(tmp_path: Path) -> None:
    path, target = tmp_path / "weights.pth", tmp_path / "was here"
    torch.save({"weight": Trap(target)}, path)
    with pytest.raises(EvaluationError) as caught:
        load_state(path, sha256_of(path)[:8])
    assert caught.value.code == "damaged-file"
    path.write_bytes(pickle.dumps(Trap(target)))
    with pytest.raises(EvaluationError) as caught:
        load_state(path, sha256_of(path)[:8])
    assert caught.value.code == "damaged-file"
    assert not target.exists()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError) as caught:
        load_state(tmp_path / "weights.pth", "00")
    assert caught.value.code == "unreadable-file"
