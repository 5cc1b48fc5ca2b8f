"""`python -m pipeline.own_data PATH`: train on your own images (`make run DATA=PATH`).

params.yaml gets the path, and `auto` for everything that depends on the data; comments stay. The same path again
changes nothing, so that values which were set by hand since then are kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ganops.errors import SettingsError
from ganops.params import AUTO, read_params
from ganops.settings import shortened
from ganops.workspace import WORKSPACE
from pipeline.environment import ROOT
from pipeline.set_params import edit
from pipeline.stages.entry import run_stage


def main(path: str) -> None:
    """Write the settings; raises SettingsError where there is nothing at `path`."""
    found = _existing(path)
    if found is None:
        raise SettingsError(
            f"{shortened(path) or 'nothing'} does not exist",
            code="data-path-missing",
            expected="a folder of images, or a zip file of them",
            action="give its path: make run DATA=path",
        )
    if found.is_absolute() and found.is_relative_to(ROOT):
        found = found.relative_to(ROOT)
    data = read_params(WORKSPACE.params).data
    if data.source == "images" and data.path == found:
        return
    with edit(WORKSPACE.params) as values:
        values["data"].update(source="images", path=str(found), image_size=AUTO, channels=AUTO, options={})
        values["recipes"] = AUTO
        values.setdefault("evaluate", {})["features"] = AUTO
        values.setdefault("tracking", {})["model"] = AUTO
    print(f"params.yaml: images of {found}; recipes, size, channels and features follow from them")


def _existing(path: str) -> Path | None:
    """What is at a path; None for nothing, and for what cannot be a path: too long, or of a user that is not known."""
    try:
        found = Path(path).expanduser()
        return found if path and found.exists() else None
    except (OSError, RuntimeError, ValueError):
        return None


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run_stage(main)
