"""Downloads count only with the published md5, leave nothing half done, and their failure says what to do."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_files import write_files

from ganops.data.download import download
from ganops.errors import DataError

CONTENT = b"a data set"
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """The address of a server on this machine that has `set.bin`."""
    folder = write_files(tmp_path / "served", {"set.bin": CONTENT})

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_download_comes_from_the_first_mirror_that_has_it(tmp_path: Path, mirror: str) -> None:
    folder = tmp_path / "raw" / "set"
    path = download([f"{mirror}missing/", mirror], "set.bin", MD5, folder)
    assert path == folder / "set.bin"
    assert path.read_bytes() == CONTENT
    assert list(folder.iterdir()) == [path]


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    write_files(tmp_path, {"set.bin": CONTENT})
    assert download([], "set.bin", MD5, tmp_path) == tmp_path / "set.bin"


def test_a_wrong_file_is_refused_and_removed(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(DataError) as error:
        download([mirror], "set.bin", hashlib.md5(b"another").hexdigest(), tmp_path / "raw")
    assert error.value.code == "download-failed"
    assert list((tmp_path / "raw").iterdir()) == []


def test_without_a_network_the_error_says_both_ways_out(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        download(["http://127.0.0.1:9/"], "set.bin", MD5, tmp_path)  # nobody listens on the discard port
    assert "data.home" in caught.value.action
    assert "GANOPS_DATA_HOME" in caught.value.action
    assert list(tmp_path.iterdir()) == []
