"""scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, always there, without a network.

E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (1998), UCI Machine Learning Repository.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ganops.data.image_format import ImageFormat, to_formats
from ganops.data.raw_dataset import RawDataset
from ganops.data.splitting import hash_images, split_by_hash

BRIGHTEST = 16  # the original values are counts of inked pixels, 0..16


def collect(form: ImageFormat, test_share: float) -> RawDataset:
    """The digits on a black frame of one pixel, enlarged with a bicubic filter.

    The originals touch the edge of their 8 x 8 pixels; the frame gives them the margin that MNIST's have. Bicubic,
    because Lanczos leaves visible rings around strokes that are enlarged so much.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    originals = np.rint(digits.images * (255 / BRIGHTEST)).astype(np.uint8)
    framed = np.pad(originals, ((0, 0), (1, 1), (1, 1)))
    return RawDataset(
        images=to_formats(framed, form, Image.Resampling.BICUBIC),
        labels=digits.target.astype(np.int64),
        rows=split_by_hash(hash_images(originals), test_share),
        classes=tuple(str(digit) for digit in range(10)),
        split_by="content",
        origin="scikit-learn",
    )
