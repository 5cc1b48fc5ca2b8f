"""Outside of the root of a checkout, every command says where that is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ganops.api import model_folder
from ganops.errors import GanopsError
from ganops.recipe import load_recipes
from ganops.resolved import load_params

ROOT = Path(__file__).resolve().parent.parent
CALLS = {
    "settings": load_params,
    "model": lambda: model_folder("mlp"),
    "recipes": lambda: load_recipes(Path("recipes")),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_folder_inside_of_a_checkout_and_one_outside(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "it's mine"
    (root / "pipeline" / "recipes").mkdir(parents=True)
    shutil.copy(ROOT / "params.yaml", root)
    for folder, action in (
        (root / "pipeline", f"run this in the root of the checkout: cd '{tmp_path}/it'\"'\"'s mine'"),
        (tmp_path, "run this in the root of a checkout"),
    ):
        monkeypatch.chdir(folder)
        with pytest.raises(GanopsError) as error:
            CALLS[call]()
        assert error.value.action == action
