"""The pipeline around the library: DVC's stages, Prefect's flows and the recipes."""

import sys

from pipeline import environment

# `dvc exp run --temp` and `--queue` run stages in a copy of the checkout, while the environment's `ganops` is installed
# from the first checkout. The copy's pipeline must use the copy's library, or an experiment would run other code than
# it records.
_SOURCES = str(environment.ROOT / "src")
if _SOURCES not in sys.path[:1]:
    sys.path.insert(0, _SOURCES)

environment.require_packages()
environment.enter()
