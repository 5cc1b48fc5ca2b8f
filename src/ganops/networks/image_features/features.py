"""The interface of a frozen feature network, and the registry that makes one from a section `features`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.errors import SettingsError
from ganops.networks.maps import channels_last
from ganops.networks.weight_files import sha256_of
from ganops.registry_of_kinds import KindRegistry
from ganops.settings import Settings, nearest

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue in [0, 1]


class FeatureSettings(Settings):
    """layers: name of each layer that is compared, to its weight; null: those that the file names."""

    layers: dict[str, float] | None = Field(default=None, min_length=1)


class _Standardise(nn.Module):
    """(N, 3, H, W) images in [-1, 1] to the standardised ones in [0, 1] that a network was trained on."""

    def __init__(self, mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return channels_last(((images + 1) / 2 - self.mean) / self.deviation)


class ImageFeatures(ABC):
    """A network trained on ImageNet that is never trained here: images to the maps of some of its layers.

    It does not belong to a player or a model: it is neither saved nor copied, only named by the digest of its file.
    Its weights are read when it is first used, so that a model that was trained with it can be loaded without them.
    kind: as recipes call it. file: of the weights. layers: name of each layer to its weight in a sum over layers.
    """

    kind: str
    mean: tuple[float, ...] = MEAN
    deviation: tuple[float, ...] = DEVIATION

    def __init__(self, file: Path, layers: Mapping[str, float]) -> None:
        self.file, self.layers = file, dict(layers)
        for name in self.layers:
            if name not in self.names():
                raise SettingsError(
                    f"{self.kind} has no layer '{name}'",
                    code="unknown-layer",
                    found=name,
                    action=nearest(name, self.names()),
                )
        self._device = torch.device("cpu")

    @classmethod
    @abstractmethod
    def names(cls) -> list[str]:
        """The names of all layers, from the image on."""

    @abstractmethod
    def load(self) -> OrderedDict[str, nn.Module]:
        """Every layer by its name, in the order of `names`, with the weights of `file`.

        Raises ModelError where the file is missing or holds other weights.
        """

    @cached_property
    def sha256(self) -> str:
        """Of the file of the weights; raises ModelError where it cannot be read."""
        return sha256_of(self.file)

    def __call__(self, images: Tensor) -> list[Tensor]:
        """The maps of each of `layers`, in this order, of images (N, 1 or 3, H, W) in [-1, 1]; grey is repeated."""
        if images.device != self._device:
            self._device = images.device
            self._network.to(images.device)
        maps, found = images.expand(-1, 3, -1, -1), dict[str, Tensor]()
        for name, layer in self._network.named_children():
            maps = layer(maps)
            found[name] = maps
        return [found[name] for name in self.layers]

    @cached_property
    def _network(self) -> nn.Sequential:
        """What the network expects of an image, and the layers up to the last one that is asked for."""
        with torch.device("cpu"), torch.random.fork_rng(devices=[]):  # first weights are drawn, and replaced
            layers = self.load()
        last = max(self.names().index(name) for name in self.layers)
        used = {name: layers[name] for name in self.names()[: last + 1]}
        network = nn.Sequential(OrderedDict({"input": _Standardise(self.mean, self.deviation), **used}))
        network.requires_grad_(False).eval()
        return network.to(memory_format=torch.channels_last)  # pyrefly: ignore[no-matching-overload]  # torch's stub lacks it

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        """Itself: nothing changes it."""
        return self


IMAGE_FEATURES: KindRegistry[ImageFeatures] = KindRegistry(
    "feature network", "ganops.networks.image_features", "IMAGE_FEATURES"
)
