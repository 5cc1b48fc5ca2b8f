"""`ganops verify` checks all versions, `ganops sweep` ends what killed processes left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result
from small_model import register_small, small_params

from ganops.registry.load import registered_folder
from ganops.tracking.run import start_run
from ganops.tracking.store import connect


def test_an_empty_store_is_not_called_checked(run: Callable[..., Result]) -> None:
    assert run("verify").output.splitlines()[-1].startswith("no version is registered at sqlite:///")


def test_the_command_names_what_is_broken(tracking_home: Path, run: Callable[..., Result]) -> None:
    register_small(tracking_home)
    register_small(tracking_home, seed=1)
    assert run("verify").exit_code == 0
    (registered_folder("models:/ganops/2") / "generator.safetensors").unlink()
    result = run("verify")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[-3].startswith("ok      models:/ganops/1")
    assert lines[-2].startswith("BROKEN  models:/ganops/2: ")
    assert lines[-1] == "1 of 2 versions are not as they were registered"


def test_a_sweep_says_what_it_has_ended(run: Callable[..., Result]) -> None:
    with start_run("tiny", params=small_params(), system_metrics=False) as left:
        pass
    client = connect().client
    client.set_tag(left.run_id, "process.pid", "999999999")
    client.update_run(left.run_id, status="RUNNING")
    assert left.run_id in run("sweep").output
    assert client.get_run(left.run_id).info.status == "KILLED"
    assert run("sweep").output.splitlines()[-1] == "nothing was left behind"
