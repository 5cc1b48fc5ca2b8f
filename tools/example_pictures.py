"""A folder of pictures for the tutorial: scikit-learn's 1,797 handwritten digits as PNG files, a folder for each class.

python -m tools.example_pictures FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

SIDE, WHITE = 32, 16  # pixels of a file; what the data set has for white


def main(folder: Path) -> None:
    """Write them."""
    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        file = folder / str(label) / f"{number:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        grey = Image.fromarray((pixels * 255 / WHITE).astype("uint8"))
        grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file)
    print(f"{len(digits.target):,} pictures in {len(set(digits.target))} folders of {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
