"""The leaderboard reads the same as CSV, as Markdown and on a terminal."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from example_results import row

from ganops.evaluation.metric_names import describe
from ganops.reporting.tables import (
    count,
    headline_metrics,
    leaderboard_csv,
    leaderboard_markdown,
    leaderboard_text,
)

FID = describe("fid")
ROWS = [
    row("mlp", 700_000, fid=(31.25, 0.5), kid=0.0125, extra=7.0),
    row("dcgan", 1_200_000, fid=12.3456789, recall=0.5),
    row("wgan-gp", unhealthy=True, fid=2.0),
    row("pix2pix", psnr=20.0),
    row("real test images", kind="reference", samples=297, fid=1.5),
]


def test_csv_keeps_every_digit_and_leaves_missing_values_empty() -> None:
    lines = list(csv.DictReader(StringIO(leaderboard_csv(ROWS, FID))))
    assert [(line["recipe"], line["kind"], line["rank"]) for line in lines] == [
        ("real test images", "reference", ""),
        ("dcgan", "recipe", "1"),
        ("mlp", "recipe", "2"),
        ("pix2pix", "recipe", ""),
        ("wgan-gp", "recipe", ""),
    ]
    real, dcgan, mlp, _, unhealthy = lines
    assert float(dcgan["fid"]) == 12.3456789
    assert (dcgan["kid"], dcgan["extra"], mlp["extra"], unhealthy["health"]) == ("", "", "7.0", "unhealthy")
    assert (mlp["fid_error"], dcgan["fid_error"], real["steps"]) == ("0.5", "", "")
    assert "kid_error" not in mlp


def test_terminal_table_is_aligned_and_marks_winner_ranks_and_references() -> None:
    heading, rule, *lines = leaderboard_text(ROWS, FID, "dcgan").splitlines()
    assert lines[0].startswith("     [real test images]")
    assert lines[1].startswith(">  1 dcgan ")
    assert lines[2].startswith("   2 mlp ")
    assert lines[3].startswith("     pix2pix ")
    for title in ("FID ↓", "KID ↓", "Recall ↑", "PSNR ↑", "images/s", "minutes", "parameters", "steps", "health"):
        assert title in heading
    assert max(map(len, [heading, *lines])) == len(rule)
    assert "31.25 ± 0.50" in lines[2]
    for title in ("minutes", "parameters", "steps"):
        end = heading.index(title) + len(title)
        assert all(line[end - 1] != " " and line[end] == " " for line in lines)


def test_markdown_has_one_line_for_each_row_with_equal_columns() -> None:
    heading, ruler, *lines = leaderboard_markdown(ROWS, FID, "dcgan").splitlines()
    assert len({line.count("|") for line in (heading, ruler, *lines)}) == 1
    assert lines[0].startswith("|  | *real test images* |")
    assert lines[1].startswith("| **1** | **dcgan** | **12.35** | **-** |")
    assert lines[2].startswith("| 2 | mlp | 31.25 ± 0.50 | 0.01250 |")


def test_headline_columns_are_those_that_any_row_has_and_the_one_that_decides() -> None:
    rows = [row("a", fid_classifier=3.0, coverage=0.5)]
    assert [metric.key for metric in headline_metrics(rows, describe("fid_classifier"))] == ["fid_classifier"]
    assert [metric.key for metric in headline_metrics(rows, describe("coverage"))] == ["coverage", "fid_classifier"]


@pytest.mark.parametrize(("parameters", "text"), [(812, "812"), (34_512, "34.5 k"), (1_234_567, "1.23 M")])
def test_parameters_are_counted_in_thousands_and_millions(parameters: int, text: str) -> None:
    assert count(parameters) == text
