"""Games: who plays, in which turns, and what each player minimises. A file adds its game to `GAMES`."""
