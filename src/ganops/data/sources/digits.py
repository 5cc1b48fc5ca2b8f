"""scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, available without a network.

E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (1998), UCI Machine Learning Repository.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.image_format import ImageFormat, to_formats
from ganops.data.raw_dataset import RawDataset
from ganops.data.sources.source import SOURCES, Source, SourceContext
from ganops.data.spec import IMAGE, LABEL
from ganops.data.splitting import hash_images, split_by_hash

BRIGHTEST = 16  # the original values are counts of inked pixels, 0..16
NATURAL = ImageFormat(32, 1)  # the smallest size at which the 8 x 8 pixels look like handwriting


@SOURCES.add("digits")
class Digits(Source):
    """The digits with a black frame of one pixel, enlarged with a bicubic filter.

    The originals touch the edge of their 8 x 8 pixels; the frame gives them a margin as MNIST's have. Bicubic, because
    Lanczos leaves visible rings around strokes that are enlarged so much.
    """

    def collect(self, context: SourceContext) -> RawDataset:
        """All of them, split by their content."""
        from sklearn.datasets import load_digits

        form = context.image_format(NATURAL)
        digits = load_digits()
        originals = np.rint(digits.images * (255 / BRIGHTEST)).astype(np.uint8)
        framed = np.pad(originals, ((0, 0), (1, 1), (1, 1)))
        return RawDataset(
            fields={
                IMAGE: ImageField(channels=form.channels, size=form.size),
                LABEL: CategoryField(classes=tuple(str(digit) for digit in range(10))),
            },
            columns={
                IMAGE: to_formats(framed, form, Image.Resampling.BICUBIC),
                LABEL: digits.target.astype(np.int64),
            },
            rows=split_by_hash(hash_images(originals), context.params.test_share),
            split_by="content",
            origin="scikit-learn",
        )
