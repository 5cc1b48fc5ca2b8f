"""The plain GAN: the generator sees noise, the discriminator sees data."""

from __future__ import annotations

from ganops.games.game import GAMES
from ganops.games.gan_settings import StandardGANSettings
from ganops.games.standard_gan import StandardGAN


@GAMES.add("unconditional", StandardGANSettings)
class Unconditional(StandardGAN):
    """Generator against discriminator without labels (Goodfellow et al. 2014, arXiv:1406.2661)."""
