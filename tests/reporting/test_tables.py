"""The leaderboard reads the same as CSV, as Markdown and on a terminal."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from example_results import row

from ganops.reporting.tables import count, leaderboard_csv, leaderboard_markdown, leaderboard_text

ROWS = [
    row("mlp", 700_000, fid=31.25, fid_error=0.5, kid=0.0125, extra=7.0),
    row("dcgan", 1_200_000, fid=12.3456789, **{"is": 8.5}),
    row("wgan-gp", fid=2.0, sick=True),
]


def test_csv_keeps_every_digit_and_leaves_missing_values_empty() -> None:
    lines = list(csv.DictReader(StringIO(leaderboard_csv(ROWS, "fid"))))
    assert [line["recipe"] for line in lines] == ["dcgan", "mlp", "wgan-gp"]
    assert float(lines[0]["fid"]) == 12.3456789
    assert (lines[0]["kid"], lines[0]["extra"], lines[1]["extra"], lines[2]["health"]) == ("", "", "7.0", "sick")


def test_terminal_table_is_aligned_and_marks_the_winner() -> None:
    heading, rule, *lines = leaderboard_text(ROWS, "fid", "dcgan").splitlines()
    assert [line[:9] for line in lines] == ["> dcgan  ", "  mlp    ", "  wgan-gp"]
    assert heading.split() == [
        "recipe",
        "FID",
        "↓",
        "IS",
        "↑",
        "KID",
        "↓",
        "images/s",
        "minutes",
        "parameters",
        "steps",
        "health",
    ]
    assert {len(line) for line in [heading, *lines]} == {len(rule)}
    assert "31.25 ± 0.50" in lines[1]
    for title in ("minutes", "parameters", "steps"):
        end = heading.index(title) + len(title)
        assert all(line[end - 1] not in " -" and line[end] == " " for line in lines)


def test_markdown_has_one_line_for_each_recipe_with_equal_columns() -> None:
    heading, ruler, *lines = leaderboard_markdown(ROWS, "fid", "dcgan").splitlines()
    assert len({line.count("|") for line in (heading, ruler, *lines)}) == 1
    assert lines[0].startswith("| **dcgan** | **12.35** | **8.500** | **-** |")
    assert lines[1].startswith("| mlp | 31.25 ± 0.50 | - | 0.01250 |")


@pytest.mark.parametrize(("parameters", "text"), [(812, "812"), (34_512, "34.5 k"), (1_234_567, "1.23 M")])
def test_parameters_are_counted_in_thousands_and_millions(parameters: int, text: str) -> None:
    assert count(parameters) == text
