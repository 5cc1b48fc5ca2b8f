"""`python -m pipeline.set_params KEY=VALUE ...`: change settings as `dvc exp run -S` does, and keep the comments.

A key of params.yaml is `train.budget_scale`; one of another file is `pipeline/recipes/dcgan.yaml:batch_size`.
"""

from __future__ import annotations

import sys

from dvc.exceptions import DvcException
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides

from ganops.errors import SettingsError
from ganops.params import load_params
from pipeline.stages.entry import run_stage
from pipeline.stages.results import PARAMS


def main(*assignments: str) -> None:
    """Apply `assignments`; raises SettingsError for a key that does not exist or a value that cannot be."""
    for path, overrides in to_path_overrides(assignments).items():
        try:
            apply_overrides(path, overrides)
        except (DvcException, OSError) as error:
            reason = error.__cause__ or error
            raise SettingsError(f"{path} cannot be changed", found=str(reason).splitlines()[0]) from error
    load_params(PARAMS)
    print(f"set {', '.join(assignments) or 'nothing'}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run_stage(main)
