"""Class-conditional generation: generator and discriminator are both given the label."""

from __future__ import annotations

from ganops.games.game import GAMES
from ganops.games.gan_settings import StandardGANSettings
from ganops.games.standard_gan import StandardGAN


@GAMES.add("conditional", StandardGANSettings)
class Conditional(StandardGAN):
    """Both networks are given the class; how they use it is up to them.

    By concatenation (Mirza & Osindero 2014, arXiv:1411.1784), or by conditional batch norm and projection (Miyato &
    Koyama 2018, arXiv:1802.05637).
    """

    conditional_generator = True
    conditional_discriminator = True
