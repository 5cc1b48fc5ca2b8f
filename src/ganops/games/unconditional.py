"""The plain game: a generator that sees noise against a discriminator that sees images."""

from __future__ import annotations

from ganops.games.game import GAMES
from ganops.games.standard_gan import StandardGAN, StandardGANSettings


@GAMES.add("unconditional", StandardGANSettings)
class Unconditional(StandardGAN):
    """Generator against discriminator on images alone (Goodfellow et al. 2014, arXiv:1406.2661)."""
