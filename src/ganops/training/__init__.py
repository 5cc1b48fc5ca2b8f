"""Training: the loop, its data, optimisers, checkpoints and health. It knows games only through `ganops.games`."""
