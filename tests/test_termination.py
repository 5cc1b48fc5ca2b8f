"""A signal ends the process with its exit code, also where Python ignores the exception that it raises."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import signal, sys, time
from ganops.termination import end_on_sigterm

class Finalised:
    def __del__(self):
        signal.raise_signal(int(sys.argv[1]))
        time.sleep(0.01)  # a signal handler runs between two instructions

signal.signal(signal.SIGINT, signal.default_int_handler)
end_on_sigterm()
try:
    Finalised()
    print("ignored", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
finally:
    print("cleaned up")
"""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_a_finaliser_is_not_lost(sent: signal.Signals, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(int(sent))], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == "ignored\ncleaned up\n"


def test_other_errors_of_finalisers_are_shown() -> None:
    source = (
        "from ganops.termination import end_on_sigterm\nend_on_sigterm()\nclass A:\n  def __del__(self): 1 / 0\nA()\n"
    )
    done = subprocess.run([sys.executable, "-c", source, "0"], capture_output=True, text=True, timeout=60, check=False)
    assert "ZeroDivisionError" in done.stderr
