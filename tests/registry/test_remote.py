"""The registry of a tracking server, which keeps the files: register, promote and load as with a local file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from small_model import register_small, save_small_model, small_params
from tracking_server import running_server

from ganops.registry import download
from ganops.registry.load import registered_folder
from ganops.registry.promotion import promote


@pytest.mark.slow
def test_a_model_is_sent_to_a_server_and_comes_back_whole(tracking_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tracking_home / "scratch"
    scratch.mkdir()
    download._folder.cache_clear()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with running_server(tracking_home) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        register_small(tracking_home, seed=3)
        assert promote(small_params()).moved, "its smoke test tried what was fetched from the server"
        fetched = registered_folder("models:/ganops@champion")
        sent = save_small_model(tracking_home / "again", seed=3)
        assert {file.name: file.read_bytes() for file in fetched.iterdir()} == {
            file.name: file.read_bytes() for file in sent.iterdir()
        }
        assert not (tracking_home / "mlruns").exists(), "nothing lies where a local store would keep it"
        for _ in range(3):
            assert registered_folder("models:/ganops/1").is_dir()
        copies = [file.relative_to(scratch).parts for file in scratch.rglob("MLmodel")]
        assert all(parts[0].startswith("ganops-models-") for parts in copies)
        assert len(copies) == 2, "one of the logged model, one of the version"
    download._folder.cache_clear()
