"""Games: players and what each of them minimises. A file adds its game to `GAMES`."""
