"""Images of a class on demand: both sides are told the label."""

from __future__ import annotations

from ganops.games.game import GAMES
from ganops.games.standard_gan import StandardGAN, StandardGANSettings


@GAMES.add("conditional", StandardGANSettings)
class Conditional(StandardGAN):
    """Generator and discriminator both know the class; how, is up to the networks.

    By concatenation (Mirza & Osindero 2014, arXiv:1411.1784), by conditional batch norm and projection (Miyato & Koyama
    2018, arXiv:1802.05637).
    """

    conditional_generator = True
    conditional_discriminator = True
