"""The tests' own services: a traceback in a service's log fails the test that started it, whatever else went well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from service import running, wait_until

FAILING = """
import time, traceback

print("ready", flush=True)
try:
    raise ValueError("the work is not done")
except ValueError:
    traceback.print_exc()
print("still here", flush=True)
time.sleep(60)
"""


def start(log: Path, code: str) -> subprocess.Popen[bytes]:
    with log.open("w") as file:
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )


def test_a_service_that_goes_on_after_a_traceback_fails_its_test(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    service = start(log, FAILING)
    with pytest.raises(AssertionError, match="the work is not done"), running(service, log):
        wait_until(lambda: "still here" in log.read_text(), 30)
    assert service.poll() is not None, "it is ended all the same"


def test_a_service_that_has_ended_already_is_no_failure(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    service = start(log, "print('done')")
    with running(service, log):
        service.wait()
    assert log.read_text() == "done\n"
