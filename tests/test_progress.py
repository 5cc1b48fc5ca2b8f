"""The line that tells of long work: how far it is, its rate and the time left, also after it was taken up again."""

from __future__ import annotations

import io
import time

import pytest

from ganops.progress import Progress, progress


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stderr that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(time, "monotonic", found)
    return found


def test_the_line_says_how_far_how_fast_and_how_long_still(clock: Clock) -> None:
    bar = Progress("train dcgan", 4000, "images")
    clock.now += 10
    bar.update(1000, "healthy")
    line = bar.line()
    for part in ("train dcgan", "[#####---------------]", "25%", "1,000/4,000 images", "100 images/s", "left 0:30"):
        assert part in line
    assert line.endswith("healthy")


def test_what_was_done_before_does_not_count_for_the_rate(clock: Clock) -> None:
    bar = Progress("train dcgan", 4000, "images")
    clock.now += 5  # reading the checkpoint
    bar.begin_at(3000)
    assert "75%" in bar.line()
    clock.now += 1
    bar.update(3010)
    assert "10 images/s" in bar.line()
    assert "left 1:39" in bar.line()


def test_a_terminal_gets_a_bar_that_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress("train dcgan", 4_000_000, "images") as bar:
        bar.begin_at(3_000_000)
        time.sleep(0.2)
        bar.update(3_000_001)
    last = terminal.getvalue().replace("\r", "\n").split("\n")[-2]
    assert "75%" in last
    assert "3.00M/4.00M" in last
    assert "M images/s" not in last, "the images of the checkpoint are not this process's work"


def test_a_file_gets_a_line_every_few_seconds_and_one_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("download", 100, "bytes") as bar:
        for second in range(1, 11):
            clock.now += 1
            bar.update(10 * second, "1 rejected")
    lines = capsys.readouterr().err.splitlines()
    assert all(line.endswith("1 rejected") for line in lines)
    assert [line.split("%")[0].split()[-1] for line in lines] == ["30", "60", "90", "100"]
