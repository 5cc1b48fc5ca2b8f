"""A small classifier that takes part in a game: strided convolutions and a linear layer."""

from __future__ import annotations

from typing import cast

from pydantic import Field
from torch import Tensor, nn

from ganops.data.fields.category import CategoryField
from ganops.data.spec import DataSpec
from ganops.networks.data_shapes import image_field
from ganops.networks.maps import channels_last, flatten_maps
from ganops.networks.network import NETWORKS, Classifier
from ganops.settings import Settings

SLOPE = 0.2  # of LeakyReLU
SMALLEST, MOST_GROWTH = 4, 4  # pixels of the last maps at least; channels of the widest layer in units of `width`


class ImageClassifierSettings(Settings):
    """source: name of the image field that it is built for. labels: of the field whose classes it names.

    width: channels of the first layer; they double with every halving, to 4 times.
    """

    source: str = "A"
    labels: str = "A_label"
    width: int = Field(default=16, ge=1)


@NETWORKS.add("image-classifier", ImageClassifierSettings)
class ImageClassifier(Classifier):
    """(N, C, H, W) images in [-1, 1] to (N, K) logits; without a norm, so that no image depends on its batch."""

    def __init__(self, settings: ImageClassifierSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source = settings.source
        field = image_field(spec, settings.source)
        self.class_count = len(spec.field(settings.labels, CategoryField).classes)
        layers, channels, size = list[nn.Module](), field.channels, field.size
        while not layers or size >= 2 * SMALLEST:
            width = settings.width * min(2 ** (len(layers) // 2), MOST_GROWTH)
            layers += [nn.Conv2d(channels, width, 3, 2, 1), nn.LeakyReLU(SLOPE)]
            channels, size = width, (size + 1) // 2
        self.layers = nn.Sequential(*layers)
        self.to_logits = nn.Linear(channels * size * size, self.class_count)

    def forward(self, images: Tensor) -> Tensor:
        """One logit for each class."""
        return cast(Tensor, self.to_logits(flatten_maps(self.layers(channels_last(images)))))
