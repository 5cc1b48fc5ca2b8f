"""pipeline/resolved.yaml: what the values `auto` of params.yaml stand for. The rules are in ganops.resolve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ganops.atomic import write_text
from ganops.errors import SettingsError
from ganops.params import AUTO, AUTO_RECIPES, Params, RecipeName, read_params
from ganops.recipe import find_recipe
from ganops.settings import Settings, read_yaml, validate
from ganops.workspace import Workspace

RESOLVED_HEADER = """\
# What the values `auto` of params.yaml stand for with the data at hand. The stage `resolve` writes this file.
"""


class Resolved(Settings):
    """What the values `auto` of params.yaml stand for with the data at hand; values given by name stand here too.

    recipes: their files by name. image_size: null where the data are not images. channels likewise.
    """

    recipes: dict[RecipeName, str] = Field(min_length=1)
    image_size: int | None = None
    channels: Literal[1, 3] | None = None
    features: str
    compare_metric: str
    gate_metric: str
    model: str

    def apply(self, params: Params) -> Params:
        """The same settings with every `auto` replaced; data.* stay, because `prepare` decides those for itself."""
        chosen: dict[str, dict[str, Any]] = {
            "evaluate": {"features": self.features},
            "compare": {"metric": self.compare_metric},
            "gate": {"metric": self.gate_metric},
            "tracking": {"model": self.model},
        }
        changes: dict[str, Any] = {
            name: section.model_copy(update={key: value for key, value in values.items() if _is_auto(section, key)})
            for name, values in chosen.items()
            for section in [getattr(params, name)]
        }
        recipes = tuple(self.recipes) if params.recipes == AUTO_RECIPES else params.recipes
        return params.model_copy(update={**changes, "recipes": recipes})

    def following(self, params: Params, recipes: Path) -> Resolved:
        """The same, with what params.yaml says by name; raises SettingsError for a name not in the folder `recipes`."""
        named: dict[str, Any] = {
            "recipes": recipe_files(params, recipes) or AUTO,
            "features": params.evaluate.features,
            "compare_metric": params.compare.metric,
            "gate_metric": params.gate.metric,
            "model": params.tracking.model,
        }
        return self.model_copy(update={key: value for key, value in named.items() if value != AUTO})


def recipe_files(params: Params, folder: Path) -> dict[str, str]:
    """The files of the recipes that are given by name, as DVC reads them; raises SettingsError for an unknown name."""
    names = () if params.recipes == AUTO_RECIPES else params.recipes
    return {name: find_recipe(name, folder).as_posix() for name in names}


def _is_auto(section: Settings, key: str) -> bool:
    return bool(getattr(section, key) == AUTO)


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml. The values in pipeline/resolved.yaml replace every `auto`.

    Without that file `auto` stays. Raises SettingsError as read_params does.
    """
    params, resolved = read_params(path), read_resolved(Workspace(path.parent).resolved)
    return resolved.apply(params) if resolved else params


def read_resolved(path: Path) -> Resolved | None:
    """What pipeline/resolved.yaml says; None where it is missing or has another form: the stage `resolve` writes it."""
    try:
        return validate(Resolved, read_yaml(path)["resolved"], str(path))
    except (SettingsError, KeyError, TypeError):
        return None


def write_resolved(resolved: Resolved, path: Path) -> None:
    """Write pipeline/resolved.yaml, as DVC reads it; texts are quoted, since a name may look like a number."""
    lines = ["resolved:", "  recipes:", *(f'    "{recipe}": "{file}"' for recipe, file in resolved.recipes.items())]
    lines += [f"  {key}: {json.dumps(value)}" for key, value in resolved.model_dump(exclude={"recipes"}).items()]
    write_text(path, RESOLVED_HEADER + "\n".join(lines) + "\n")
