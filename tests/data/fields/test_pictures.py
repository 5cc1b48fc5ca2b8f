"""Grids put every pixel where they say, at a size that a person can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from example_results import digits
from PIL import Image

from ganops.data.fields.pictures import SCATTER_SIDE, image_grid, save_png, scatter, square
from ganops.errors import DataError


@pytest.mark.parametrize("channels", [1, 3])
def test_every_pixel_stands_where_the_docstring_says(channels: int) -> None:
    images = torch.randint(0, 256, (5, channels, 2, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    grid = np.asarray(image_grid(images, columns=3, scale=2, gap=1)).reshape(11, 22, -1)
    for index, image in enumerate(images):
        left, top = 1 + index % 3 * 7, 1 + index // 3 * 5
        for y in range(4):
            for x in range(6):
                assert grid[top + y, left + x].tolist() == image[:, y // 2, x // 2].tolist()


def test_gaps_and_the_missing_last_image_are_white() -> None:
    grid = np.asarray(image_grid(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), columns=2, scale=1, gap=2))
    assert grid.shape == (10, 10)
    assert (grid == 0).sum() == 3 * 4  # all other pixels ...
    assert (grid == 255).sum() == 100 - 3 * 4  # ... are white
    assert (grid[6:8, 6:8] == 255).all()


@pytest.mark.parametrize(("side", "scale"), [(8, 7), (28, 2), (32, 2), (64, 1), (200, 1)])
def test_small_images_are_enlarged_by_a_whole_factor(side: int, scale: int) -> None:
    grid = image_grid(torch.zeros(1, 1, side, side, dtype=torch.uint8), columns=1, gap=0)
    assert grid.size == (side * scale, side * scale)


def test_a_row_is_not_wider_than_its_images() -> None:
    assert image_grid(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), columns=8, scale=1, gap=0).size == (8, 4)


def test_grey_and_colour_keep_their_mode_through_a_file(tmp_path: Path) -> None:
    grey = image_grid(digits()[:4], 2)
    save_png(grey, tmp_path / "new" / "grid.png")
    with Image.open(tmp_path / "new" / "grid.png") as read:
        assert read.mode == "L"
        assert np.array_equal(np.asarray(read), np.asarray(grey))
    assert image_grid(digits()[:4].expand(-1, 3, -1, -1), 2).mode == "RGB"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["grid.png"]


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(2, 1, 4, 4),
        torch.zeros(2, 4, 4, dtype=torch.uint8),
        torch.zeros(2, 2, 4, 4, dtype=torch.uint8),
        torch.zeros(0, 1, 4, 4, dtype=torch.uint8),
    ],
    ids=["float", "no channels", "two channels", "no image"],
)
def test_other_tensors_are_refused(images: torch.Tensor) -> None:
    with pytest.raises(DataError) as error:
        image_grid(images, 2)
    assert error.value.code == "not-images"
    assert error.value.found.endswith(f"of shape {tuple(images.shape)}")


@pytest.mark.parametrize("layout", [{"columns": 0}, {"columns": 2, "scale": 0}, {"columns": 2, "gap": -1}])
def test_an_impossible_layout_is_refused(layout: dict[str, int]) -> None:
    with pytest.raises(DataError) as error:
        image_grid(digits()[:2], **layout)
    assert error.value.code == "bad-layout"


def test_vectors_are_points_with_x_to_the_right_and_y_upwards() -> None:
    drawn = np.asarray(scatter(torch.tensor([(0.5, 0.5), (0.5, 0.5), (-0.5, 0.0)])))
    assert drawn.shape == (SCATTER_SIDE, SCATTER_SIDE)
    rows, columns = np.nonzero(drawn < 255)
    right = columns > SCATTER_SIDE / 2
    assert rows[right].mean() == pytest.approx(SCATTER_SIDE * 0.25, abs=2)
    assert columns[right].mean() == pytest.approx(SCATTER_SIDE * 0.75, abs=2)
    assert rows[~right].mean() == pytest.approx(SCATTER_SIDE * 0.5, abs=2)
    assert drawn[rows[right], columns[right]].max() < drawn[rows[~right], columns[~right]].min()  # two points there


def test_points_out_of_range_are_drawn_at_the_edge() -> None:
    drawn = np.asarray(scatter(torch.tensor([(9.0, 0.0), (float("nan"), float("inf"))])))
    assert (drawn[:, -1] < 255).any()
    assert (drawn[0] < 255).any()


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 2), (16, 4), (64, 8)])
def test_a_grid_is_about_square(count: int, columns: int) -> None:
    assert square(count) == columns
