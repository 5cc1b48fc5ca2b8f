"""One file per command of `ganops`; its first line is what `ganops --help` says of it."""
