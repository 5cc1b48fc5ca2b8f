"""Pairs of label maps and pictures from measured heights: bands of elevation, and the relief in light from the west.

python -m benchmarks.relief FOLDER [--size 64] [--count 1500]

The heights are matplotlib's jacksboro_fault_dem (US Geological Survey, Tennessee). Pieces for the test come from the
eastern quarter, which no training piece touches. Then: make run DATA=FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.cbook import get_sample_data
from matplotlib.colors import LightSource
from PIL import Image

BANDS = ("valley", "foot", "slope", "shoulder", "ridge", "summit")
TEST_SHARE = 0.25


def main() -> None:
    """Write train/A, train/B, test/A and test/B."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--count", type=int, default=1500)
    asked = parser.parse_args()
    heights = get_sample_data("jacksboro_fault_dem.npz")["elevation"].astype(float)
    edges = np.quantile(heights, np.linspace(0, 1, len(BANDS) + 1)[1:-1])
    bands = np.digitize(heights, edges).astype(np.uint8)
    light = LightSource(azdeg=270, altdeg=35).hillshade(heights, vert_exag=0.05)
    relief = np.rint(light * 255).astype(np.uint8)
    generator = np.random.default_rng(0)
    border = round(heights.shape[1] * (1 - TEST_SHARE))
    sides = {"train": (0, border, asked.count), "test": (border, heights.shape[1], asked.count // 5)}
    for split, (west, east, count) in sides.items():
        for side in "AB":
            (asked.folder / split / side).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            top = generator.integers(0, heights.shape[0] - asked.size + 1)
            left = generator.integers(west, east - asked.size + 1)
            place = np.s_[top : top + asked.size, left : left + asked.size]
            Image.fromarray(bands[place]).save(asked.folder / split / "A" / f"{number:05d}.png")
            Image.fromarray(relief[place]).save(asked.folder / split / "B" / f"{number:05d}.png")
    (asked.folder / "train" / "A" / "labels.yaml").write_text(f"[{', '.join(BANDS)}]\n")


if __name__ == "__main__":
    main()
