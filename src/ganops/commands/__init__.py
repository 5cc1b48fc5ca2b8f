"""One file per command of `ganops`; `ganops --help` shows its first line."""
