"""Small images as they come from cameras, editors and the web, as Real-ESRGAN starts from (arXiv:2107.10833)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.derived.blur_kernels import Dice, random_blur, random_low_pass
from ganops.data.derived.derivation import DERIVATIONS, Derivation, normal
from ganops.data.derived.downscaled import Downscaled
from ganops.data.derived.filtering import filtered
from ganops.data.derived.images import Range, levels
from ganops.data.derived.jpeg import Jpeg
from ganops.data.derived.sharpening import sharpened
from ganops.data.fields.field import Field
from ganops.data.fields.image import luma
from ganops.devices import in_float64
from ganops.settings import Settings

SHAPES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)  # of blur kernels, see random_blur
LOW_PASS = 0.1  # share of blur kernels that are low passes
MODES = ("area", "bilinear", "bicubic")  # how images are resized, drawn with equal probability
GREY_NOISE = 0.4  # share of noise that is the same in all channels
TOGETHER = 4  # images that share their choices: of one size, they take hardly longer than one
FEWEST = 2  # pixels that an image has at least in between


class Pass(Settings):
    """One of the two passes: blur, resizing, noise, JPEG.

    blur: probability of a blur. sigma: range of its standard deviations in pixels.
    resize: probabilities to enlarge, to shrink and to keep the size. scale: smallest and largest factor.
    noise: range of standard deviations of Gaussian noise in grey levels. shot: range of factors on Poisson noise; each
    kind is drawn half of the time. quality: range of JPEG's.
    """

    blur: float = Bounded(default=1.0, ge=0, le=1)
    sigma: Range = (0.2, 3.0)
    resize: tuple[float, float, float] = (0.2, 0.7, 0.1)
    scale: Range = (0.15, 1.5)
    noise: Range = (1.0, 30.0)
    shot: Range = (0.05, 3.0)
    quality: Range = (30.0, 95.0)


@DERIVATIONS.add("degraded")
class Degraded(Derivation):
    """The image at 1 / `factor` of its size after two passes of blur, resizing, noise and JPEG, and a last low pass.

    sharpen: whether the image is sharpened before. first, second: the passes. low_pass: probability of the last one.
    Order, shapes and ranges are those of Real-ESRGAN's train_realesrgan_x4plus.yml. Differences: choices are drawn for
    every four images, where the authors draw blurs for each, sizes and kinds of noise for a whole batch, and mix
    batches by a queue; beyond the edge pixels repeat, where theirs are mirrored; JPEG is rounded as a file's is.
    """

    factor: int = Bounded(ge=1)
    sharpen: bool = True
    first: Pass = Pass()
    second: Pass = Pass(
        blur=0.8, sigma=(0.2, 1.5), resize=(0.3, 0.4, 0.3), scale=(0.3, 1.2), noise=(1.0, 25.0), shot=(0.05, 2.5)
    )
    low_pass: float = Bounded(default=0.8, ge=0, le=1)

    def field(self, source: Field) -> Field:
        """A smaller image; raises SettingsError where `factor` does not divide the size."""
        return Downscaled(of=self.of, factor=max(2, self.factor)).field(source) if self.factor > 1 else source

    def derive(self, modelled: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Other damage for every few images. Choices are drawn on the CPU, noise as `normal` says.

        In double precision, so that every device rounds alike.
        """
        clear = in_float64(modelled)
        clear = (sharpened(clear) if self.sharpen else clear) / 2 + 0.5
        images = [self._degrade(some, generator) for some in torch.split(clear, TOGETHER)]
        return (2 * torch.cat(images) - 1).to(modelled)

    def _degrade(self, image: Tensor, generator: torch.Generator | None) -> Tensor:
        """Images (n, C, H, W) in [0, 1] that are blurred, resized and made noisy alike; JPEG's quality is their own."""
        dice = Dice(generator)
        height, width = image.shape[2] // self.factor, image.shape[3] // self.factor
        image = _damaged(image, self.first, image.shape[2], image.shape[3], dice, generator)
        image = _jpeg(image, self.first, generator)
        image = _damaged(image, self.second, height, width, dice, generator)
        if dice.chance(0.5):
            image = _jpeg(self._last(image, height, width, dice), self.second, generator)
        else:
            image = self._last(_jpeg(image, self.second, generator), height, width, dice)
        return levels(2 * image - 1) / 255

    def _last(self, image: Tensor, height: int, width: int, dice: Dice) -> Tensor:
        """The wanted size, and perhaps a low pass, which rings as sharpening filters do."""
        image = _resized(image, height, width, dice)
        return filtered(image, random_low_pass(dice)) if dice.chance(self.low_pass) else image


def _damaged(
    image: Tensor, settings: Pass, height: int, width: int, dice: Dice, generator: torch.Generator | None
) -> Tensor:
    """Blur, resizing to about `height` x `width`, noise."""
    if dice.chance(settings.blur):
        image = filtered(image, random_blur(dice, settings.sigma, SHAPES, LOW_PASS))
    low, high = settings.scale
    scale = (dice.uniform(1, high), dice.uniform(low, 1), 1.0)[dice.choice(settings.resize)]
    image = _resized(image, max(FEWEST, int(height * scale)), max(FEWEST, int(width * scale)), dice)
    grey = dice.chance(GREY_NOISE)
    if dice.chance(0.5):
        like = image[:, :1] if grey else image
        noise = dice.uniform(*settings.noise) / 255 * normal(like.shape, like, generator)
    else:
        noise = dice.uniform(*settings.shot) * _shot_noise(image, generator, grey=grey)
    return (image + noise).clamp(0, 1)


def _shot_noise(image: Tensor, generator: torch.Generator | None, *, grey: bool) -> Tensor:
    """What counting photons would change, with as many at full light as there are grey levels, to a power of two."""
    if grey and image.shape[1] == 3:
        image = luma(image)
    rounded = levels(2 * image - 1) / 255
    photons = float(2 ** (len(torch.unique(rounded)) - 1).bit_length())
    expected = rounded * photons
    counted = torch.poisson(expected) if generator is None else torch.poisson(expected.cpu(), generator).to(expected)
    return counted / photons - rounded


def _resized(image: Tensor, height: int, width: int, dice: Dice) -> Tensor:
    """Resized without antialiasing, as the authors' code does."""
    mode = MODES[dice.choice([1 / len(MODES)] * len(MODES))]
    return F.interpolate(image, (height, width), mode=mode, align_corners=None if mode == "area" else False)


def _jpeg(image: Tensor, settings: Pass, generator: torch.Generator | None) -> Tensor:
    return Jpeg(quality=settings.quality).derive(2 * image.clamp(0, 1) - 1, generator) / 2 + 0.5
