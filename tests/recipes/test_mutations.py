"""A wrong value anywhere in a recipe is answered before the training, and never by a traceback."""

from __future__ import annotations

import random
from math import nan
from pathlib import Path

import pytest
from mutations import changed, places

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.spec import IMAGE, LABEL, DataSpec
from ganops.errors import GanopsError
from ganops.games.build import outline_game
from ganops.params import TrainParams
from ganops.recipe import Recipe
from ganops.settings import read_yaml, validate
from ganops.training.job import TrainingJob

RECIPES = Path(__file__).resolve().parents[2] / "pipeline" / "recipes"
SPEC = DataSpec(fields={IMAGE: ImageField(channels=1, size=32), LABEL: CategoryField(classes=tuple("0123456789"))})
WRONG = (None, True, -1, 0, 3.5, 1e14, 10**12, nan, 10**30, "", "x", "3", [], [-1], {}, {"kind": 3}, [[[]]])
TRIED = 60  # of each recipe


@pytest.mark.parametrize("name", ["mlp", "infogan", "projection-cgan", "stylegan2-ada", "vae"])
def test_a_wrong_value_is_refused_before_anything_is_trained(name: str) -> None:
    values, chance = read_yaml(RECIPES / f"{name}.yaml"), random.Random(name)
    codes = []
    for place, wrong in chance.sample([(place, wrong) for place in places(values) for wrong in WRONG], TRIED):
        try:
            recipe = validate(Recipe, changed(values, place, wrong), name)
            job = TrainingJob(name, recipe, TrainParams(), 0, SPEC, "digest", where=name)
            outline_game(recipe, job.spec, name)
            codes += [error.code for error in job.problems(1000)]
        except GanopsError as error:
            codes.append(error.code)
    assert all(codes)
    assert len(codes) > TRIED / 2
