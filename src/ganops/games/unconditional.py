"""The plain game: a generator that sees noise against a discriminator that sees images."""

from __future__ import annotations

from ganops.games.duel import Duel, DuelSettings
from ganops.games.game import GAMES


@GAMES.add("unconditional", DuelSettings)
class Unconditional(Duel):
    """Generator against discriminator on images alone (Goodfellow et al. 2014, arXiv:1406.2661)."""
