"""Training: the loop and what it needs. It knows games only through `ganops.games.game.Game`."""
