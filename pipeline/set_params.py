"""`python -m pipeline.set_params KEY=VALUE ...`: change settings as `dvc exp run -S` does, and keep the comments.

A key of params.yaml is `train.budget_scale`; one of another file is `pipeline/recipes/dcgan.yaml:batch_size`, and one
that it does not have yet, `pipeline/recipes/dcgan.yaml:+parts`. Where one of the values cannot be, every file stays as
it was.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides

from ganops.atomic import write_bytes
from ganops.errors import SettingsError
from ganops.params import load_params
from ganops.recipe import load_recipe
from pipeline.stages.entry import run_stage
from pipeline.stages.results import PARAMS, RECIPES


def main(*assignments: str) -> None:
    """Apply `assignments`; raises SettingsError for a key that does not exist or a value that cannot be."""
    changes = to_path_overrides(assignments)
    before = {path: Path(path).read_bytes() for path in changes if Path(path).is_file()}
    try:
        for path, overrides in changes.items():
            _change(path, overrides)
    except BaseException:
        for path, content in before.items():
            write_bytes(Path(path), content)
        raise
    print(f"set {', '.join(assignments) or 'nothing'}")


def _change(path: str, overrides: list[str]) -> None:
    """Write the file with other values and read it as its users will."""
    try:
        apply_overrides(path, overrides)
    except (DvcException, OSError) as error:
        found = str(error.__cause__ or error).splitlines()[0]
        missing = found.startswith("Could not override")
        action = "check the name, or add a key that the file does not have yet: +KEY=VALUE" if missing else ""
        raise SettingsError(f"{path} cannot be changed", found=found, action=action) from error
    if Path(path) == PARAMS:
        load_params(PARAMS)
    elif Path(path).parent == RECIPES:
        load_recipe(Path(path))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run_stage(main)
