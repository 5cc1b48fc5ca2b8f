"""A password in the address of a service reaches no file, log, record or message."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from prefect_server import Server
from tiny import Checkout, git

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]
SECRET = f"hunter{2}secret"  # so that this file does not hold it
OWN = {".git/config", ".dvc/config.local"}  # where the user has written it


def holding(folder: Path) -> set[str]:
    """Files below a folder that hold the secret."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and SECRET.encode() in path.read_bytes()
    }


PROMOTE = ("-m", "pipeline", "ganops", "promote")
ALL = (PROMOTE, ("-m", "pipeline.flows.run"), ("-m", "pipeline", "dvc", "push"), ("-m", "pipeline", "ganops", "doctor"))


@pytest.mark.parametrize(("scheme", "commands"), [("http", ALL), ("postgresql", (PROMOTE,))])
def test_an_address_with_a_password_is_shown_without_it(
    checkout: Checkout, server: Server, scheme: str, commands: tuple[tuple[str, ...], ...]
) -> None:
    """Both services are away, so that every address is part of an error; the flow runs on a server with a database."""
    git(checkout.folder, "remote", "add", scheme, f"https://bot:{SECRET}@127.0.0.1:9/x.git")
    checkout.dvc("remote", "add", "--local", "--default", scheme, f"http://bot:{SECRET}@127.0.0.1:9/dvc")
    address = f"{scheme}://someone:{SECRET}@127.0.0.1:9"
    leaking = replace(checkout, environment=checkout.environment | {"MLFLOW_TRACKING_URI": address})
    try:
        for words in commands:
            process = leaking.start(*words)
            said, _ = process.communicate(timeout=300)
            assert process.returncode != 0
            if words[2:3] != ("dvc",):
                assert SECRET not in said, words
        assert holding(checkout.folder) <= OWN
        kept = [server.list(kind) for kind in ("flow_runs", "task_runs", "logs", "artifacts")]
        assert all(kept)
        assert SECRET not in str(kept)
    finally:
        git(checkout.folder, "remote", "remove", scheme)
        checkout.dvc("remote", "remove", "--local", scheme)
