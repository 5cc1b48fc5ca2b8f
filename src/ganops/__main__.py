"""`python -m ganops`: the command `ganops` of the environment whose Python this is."""

from ganops.cli import main

if __name__ == "__main__":
    main()
