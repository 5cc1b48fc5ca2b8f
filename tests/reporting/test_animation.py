"""An animation has a frame for each grid, holds the last one, and stays small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from example_results import digits, write_frames
from PIL import Image

from ganops.data.fields.pictures import image_grid, save_png
from ganops.errors import EvaluationError
from ganops.reporting.animation import LAST_FRAME_MILLISECONDS, MAX_BYTES, MAX_FRAMES, MAX_SIDE, animate


def read_frames(path: Path) -> list[tuple[np.ndarray, int]]:
    """Pixels and duration in milliseconds of each frame."""
    with Image.open(path) as film:
        frames = []
        for index in range(getattr(film, "n_frames", 1)):
            film.seek(index)
            film.load()
            frames.append((np.asarray(film.convert("L")), int(film.info["duration"])))
        return frames


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_a_frame_for_each_grid_in_the_order_of_steps(tmp_path: Path, suffix: str) -> None:
    # Steps of different length: the order of names is not that of steps.
    for step, grey in ((5, 30), (10, 90), (200, 150), (1000, 210)):
        save_png(image_grid(torch.full((4, 1, 28, 28), grey, dtype=torch.uint8), 2), tmp_path / f"step-{step}.png")
    out = tmp_path / f"training{suffix}"
    animate(tmp_path, out)
    frames = read_frames(out)
    # Lossy compression and palettes move a grey by a few levels at most.
    assert [round(float(pixels[10, 10])) for pixels, _ in frames] == pytest.approx([30, 90, 150, 210], abs=5)
    assert frames[-1][1] == LAST_FRAME_MILLISECONDS > frames[0][1]


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_twenty_grids_of_noise_stay_under_a_megabyte(tmp_path: Path, suffix: str) -> None:
    write_frames(tmp_path, digits()[:40].repeat(1, 3, 4, 4), 20)  # 40 colour images of 32x32; noise compresses worst
    out = tmp_path / f"training{suffix}"
    animate(tmp_path, out)
    assert out.stat().st_size <= MAX_BYTES
    assert len(read_frames(out)) == 20


def test_very_many_grids_are_thinned_out_first_and_last_kept(tmp_path: Path) -> None:
    for step in range(150):
        save_png(image_grid(torch.full((1, 1, 8, 8), step, dtype=torch.uint8), 1), tmp_path / f"step-{step:08}.png")
    animate(tmp_path, tmp_path / "training.webp")
    frames = read_frames(tmp_path / "training.webp")
    assert len(frames) == MAX_FRAMES
    assert float(frames[0][0][20, 20]) == pytest.approx(0, abs=5)
    assert float(frames[-1][0][20, 20]) == pytest.approx(149, abs=5)


def code_of(folder: Path, name: str = "a.webp") -> str:
    """The code of the error that animating `folder` ends with."""
    with pytest.raises(EvaluationError) as error:
        animate(folder, folder / name)
    assert not (folder / name).exists()
    return error.value.code


def test_inputs_that_cannot_be_animated_are_named(tmp_path: Path) -> None:
    assert code_of(tmp_path) == "no-frames"
    assert code_of(tmp_path, "a.mp4") == "unknown-kind"
    write_frames(tmp_path, digits()[:4], 2)
    (tmp_path / "step-00000300.png").write_bytes((tmp_path / "step-00000090.png").read_bytes()[:100])
    assert code_of(tmp_path) == "damaged-file"
    save_png(image_grid(digits()[:1], 1), tmp_path / "step-00000300.png")
    assert code_of(tmp_path) == "frames-differ"
    (tmp_path / "step-last.png").touch()
    assert code_of(tmp_path) == "bad-frame-name"


def test_frames_of_large_grids_are_made_small_as_they_are_read(tmp_path: Path) -> None:
    """Twenty grids of 64 images of 1024 pixels would take 4 GB."""
    for step in (1, 2):
        Image.new("L", (8210, 8000), 100 * step).save(tmp_path / f"step-{step}.png")
    animate(tmp_path, tmp_path / "training.webp")
    ((pixels, _), _) = read_frames(tmp_path / "training.webp")
    assert max(pixels.shape) <= MAX_SIDE + 100  # and the caption


def test_a_grid_that_pillow_refuses_to_open_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (100, 100)).save(tmp_path / "step-1.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(EvaluationError) as caught:
        animate(tmp_path, tmp_path / "training.webp")
    assert caught.value.code == "damaged-file"
