"""VGG19, whose maps most published perceptual losses compare (Simonyan & Zisserman 2014, arXiv:1409.1556)."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from torch import nn

from ganops.errors import ModelError
from ganops.networks.image_features.features import IMAGE_FEATURES, FeatureSettings, ImageFeatures
from ganops.networks.weight_files import load_state

WIDTHS, DEPTHS = (64, 128, 256, 512, 512), (2, 2, 4, 4, 4)  # channels and convolutions between poolings
PREFIX = "features."  # of torchvision's names, under which the weights are published


class Vgg19Settings(FeatureSettings):
    """weights: torchvision's file of ImageNet weights, vgg19-dcbb9e9d.pth, or the same as .safetensors.

    layers: `conv1_1`, `relu1_1`, ..., `pool5`; null: conv5_4 before its ReLU, as ESRGAN has it (arXiv:1809.00219).
    """

    weights: str


@IMAGE_FEATURES.add("vgg19", Vgg19Settings)
class Vgg19(ImageFeatures):
    """The convolutional part; its classifier is not needed."""

    kind = "vgg19"

    def __init__(self, settings: Vgg19Settings) -> None:
        super().__init__(Path(settings.weights), settings.layers or {"conv5_4": 1.0})

    @classmethod
    def names(cls) -> list[str]:
        """See ImageFeatures."""
        found = list[str]()
        for block, depth in enumerate(DEPTHS, start=1):
            found += [f"{kind}{block}_{number}" for number in range(1, depth + 1) for kind in ("conv", "relu")]
            found.append(f"pool{block}")
        return found

    def load(self) -> OrderedDict[str, nn.Module]:
        """See ImageFeatures."""
        layers, channels = list[nn.Module](), 3
        for width, depth in zip(WIDTHS, DEPTHS, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        state = load_state(self.file)
        try:
            nn.Sequential(*layers).load_state_dict(
                {name.removeprefix(PREFIX): tensor for name, tensor in state.items() if name.startswith(PREFIX)}
            )
        except RuntimeError as error:
            raise ModelError(
                f"{self.file} does not hold the weights of VGG19",
                code="bad-weights",
                expected=f"torchvision's names: {PREFIX}0.weight, ...",
                found=str(error),
                action="give the file vgg19-dcbb9e9d.pth of torchvision's models",
            ) from error
        return OrderedDict(zip(self.names(), layers, strict=True))
