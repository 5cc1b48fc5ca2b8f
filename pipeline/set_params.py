"""`python -m pipeline.set_params KEY=VALUE ...`: change settings as `dvc exp run -S` does, and keep the comments.

A key of params.yaml is `train.budget_scale`; one of another file is `pipeline/recipes/dcgan.yaml:batch_size`, and one
that it does not have yet, `pipeline/recipes/dcgan.yaml:+micro_batches`. Where one of the values is invalid, every file
stays as it was.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides

from ganops.atomic import write_bytes
from ganops.errors import SettingsError
from ganops.params import read_params, read_resolved, write_resolved
from ganops.recipe import load_recipe
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage


def main(*assignments: str) -> None:
    """Apply `assignments`; raises SettingsError for a key that does not exist or an invalid value."""
    changes = to_path_overrides(assignments)
    before = {path: Path(path).read_bytes() for path in changes if Path(path).is_file()}
    try:
        for path, overrides in changes.items():
            _change(path, overrides)
    except BaseException:
        for path, content in before.items():
            write_bytes(Path(path), content)
        raise
    _name_recipes()
    print(f"set {', '.join(assignments) or 'nothing'}")


def _change(path: str, overrides: list[str]) -> None:
    """Write the file with other values and read it as its users will."""
    try:
        apply_overrides(path, overrides)
    except (DvcException, OSError) as error:
        found = str(error.__cause__ or error).splitlines()[0]
        missing = found.startswith("Could not override")
        action = "check the name, or add a key that the file does not have yet: +KEY=VALUE" if missing else ""
        raise SettingsError(
            f"{path} cannot be changed", code="unknown-key" if missing else "cannot-change", found=found, action=action
        ) from error
    if Path(path) == WORKSPACE.params:
        read_params(WORKSPACE.params)
    elif Path(path).parent == WORKSPACE.recipes:
        load_recipe(Path(path))


def _name_recipes() -> None:
    """Let pipeline/resolved.yaml follow what params.yaml says by name, so that DVC sees the right recipes at once."""
    resolved = read_resolved(WORKSPACE.resolved)
    if resolved is None:
        return
    following = resolved.following(read_params(WORKSPACE.params))
    if following != resolved:
        write_resolved(following, WORKSPACE.resolved)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run_stage(main)
