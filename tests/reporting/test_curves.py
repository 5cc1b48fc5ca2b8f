"""Curves are read, grouped, smoothed and drawn, whatever a training left behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from example_results import write_history
from PIL import Image

from ganops.errors import EvaluationError
from ganops.reporting.curves import BROKEN_COLOUR, panels, plot_curves, read_history, smooth


def has_colour(path: Path, colour: str) -> bool:
    wanted = tuple(int(colour[index : index + 2], 16) for index in (1, 3, 5))
    with Image.open(path) as image:
        return bool((np.asarray(image.convert("RGB")) == wanted).all(axis=-1).any())


def test_history_is_read_by_column_and_an_empty_field_is_not_a_point(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("step,kimg,D(x),generator/loss\n0,0.0,0.5,1.5\n5,0.32,,inf\n")
    curves = read_history(tmp_path / "history.csv")
    assert [curves["D(x)"].kimg.tolist(), curves["D(x)"].values.tolist()] == [[0.0], [0.5]]
    assert curves["generator/loss"].kimg.tolist() == [0.0, 0.32]
    assert curves["generator/loss"].values.tolist() == [1.5, np.inf]
    assert list(curves) == ["D(x)", "generator/loss"]


def test_curves_that_belong_together_share_a_panel() -> None:
    names = ["D(G(z))", "discriminator/gradient_norm", "D(x)", "discriminator/loss", "generator/loss"]
    assert panels([*names, "discriminator/r1_penalty", "generator/gradient_norm"]) == {
        "loss": ["discriminator/loss", "generator/loss"],
        "discriminator output": ["D(x)", "D(G(z))"],
        "penalty": ["discriminator/r1_penalty"],
        "gradient_norm": ["discriminator/gradient_norm", "generator/gradient_norm"],
    }


def test_smoothing_keeps_a_constant_and_bridges_nan() -> None:
    values = np.full(200, 3.0)
    values[50] = np.nan
    values[100:120] = np.inf
    smoothed = smooth(values)
    assert smoothed[50] == pytest.approx(3.0)  # a mean of equal numbers, to rounding
    assert np.nanmin(smoothed) == pytest.approx(np.nanmax(smoothed)) == pytest.approx(3.0)
    assert np.isnan(smoothed[110])
    assert np.array_equal(smooth(np.array([1.0, 5.0])), [1.0, 5.0])


def test_drawn_curves_fill_a_picture_and_only_broken_rows_are_marked(tmp_path: Path) -> None:
    write_history(tmp_path / "well.csv")
    plot_curves(tmp_path / "well.csv", tmp_path / "well.png")
    write_history(tmp_path / "broken.csv", broken=range(100, 120))
    plot_curves(tmp_path / "broken.csv", tmp_path / "broken.png")
    with Image.open(tmp_path / "well.png") as image:
        assert image.width > 1000
        assert len(image.convert("RGB").getcolors(1 << 24)) > 100
    assert has_colour(tmp_path / "broken.png", BROKEN_COLOUR)
    assert not has_colour(tmp_path / "well.png", BROKEN_COLOUR)


def test_a_curve_with_few_points_is_not_marked_as_broken(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("step,kimg,loss,score\n1,1,0.5,\n2,2,0.6,\n3,3,0.7,9\n")
    plot_curves(tmp_path / "history.csv", tmp_path / "curves.png")
    assert not has_colour(tmp_path / "curves.png", BROKEN_COLOUR)


@pytest.mark.parametrize("row", ["0,0,0.5", "0,0,nan", "0,0,"])
def test_a_single_row_and_a_curve_of_nothing_but_nan_are_drawn(tmp_path: Path, row: str) -> None:
    (tmp_path / "history.csv").write_text(f"step,kimg,loss\n{row}\n")
    plot_curves(tmp_path / "history.csv", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no-curves"),
        ("step,kimg,loss\n", "no-curves"),
        ("step,loss\n1,2\n", "no-curves"),
        ("step,kimg\n1,2\n", "no-curves"),
        ("step,kimg,loss\n1,2,three\n", "damaged-file"),
        ("step,kimg,loss\n1,2\n", "damaged-file"),
    ],
)
def test_a_damaged_history_is_an_error_that_names_the_file(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(EvaluationError) as error:
        plot_curves(tmp_path / "history.csv", tmp_path / "curves.png")
    assert error.value.code == code
    assert "history.csv" in error.value.message


def test_a_missing_history_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError) as error:
        plot_curves(tmp_path / "history.csv", tmp_path / "curves.png")
    assert error.value.code == "missing-file"
    assert "dvc repro" in error.value.action
