"""The search space of a recipe: which of its keys may change, and to what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ganops.errors import SearchError
from ganops.recipe import Recipe
from ganops.settings import Settings, flat, nearest, read_yaml, validate

DIGITS = 4  # significant, of a number drawn from a range: recipes are read by people


class Parameter(Settings):
    """The values that a key may take: one of `choices`, or a number from `low` to `high`, both included.

    log: drawn evenly in the logarithm. whole: whole numbers only. also: keys of the recipe that take the same value.
    """

    choices: tuple[Any, ...] | None = Field(default=None, min_length=2)
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False
    also: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _choices_or_a_range(self) -> Parameter:
        if (self.choices is None) == (self.low is None or self.high is None):
            raise ValueError("either choices, or both low and high")
        if self.choices is not None:
            if self.log or self.whole or self.low is not None or self.high is not None:
                raise ValueError("low, high, log and whole belong to a range, not to choices")
            if len({json.dumps(choice) for choice in self.choices}) < len(self.choices):
                raise ValueError("choices: each value once")
            return self
        low, high = self.range
        if low >= high:
            raise ValueError(f"low: must be below high ({high:g})")
        if self.log and low <= 0:
            raise ValueError("low: must be above 0 where log is true")
        if self.whole and not (low.is_integer() and high.is_integer()):
            raise ValueError("low, high: must be whole numbers where whole is true")
        return self

    @property
    def range(self) -> tuple[float, float]:
        """low and high of a parameter without choices."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    @property
    def extremes(self) -> tuple[Any, ...]:
        """All choices, or both ends of the range."""
        return self.choices if self.choices is not None else tuple(map(self.decode, self.range))

    def encode(self, value: Any) -> float | int | str:
        """A value of the recipe as Optuna keeps it: choices as JSON, because they may be lists or null."""
        return json.dumps(value) if self.choices is not None else value

    def decode(self, kept: Any) -> Any:
        """What Optuna proposes as a value of the recipe."""
        if self.choices is not None:
            return json.loads(kept)
        if self.whole:
            return int(kept)
        low, high = self.range
        return min(max(float(f"{kept:.{DIGITS}g}"), low), high)

    def holds(self, value: Any) -> bool:
        """Whether a value of the recipe is one of these."""
        if self.choices is not None:
            return json.dumps(value) in map(json.dumps, self.choices)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.range[0] <= value <= self.range[1] and (not self.whole or float(value).is_integer())


class SearchSpace(Settings):
    """The content of pipeline/searches/<recipe>.yaml.

    space: by key of the recipe, such as optimizers.generator.lr. validations: of each trial, equally spaced.
    random_trials: drawn at random before proposals follow from results. pruner: what ends hopeless trials early:
    "median" of the others at the same validation, "hyperband", or "none".
    """

    space: dict[str, Parameter] = Field(min_length=1)
    validations: int = Field(default=8, ge=1)
    random_trials: int = Field(default=10, ge=1)
    pruner: Literal["median", "hyperband", "none"] = "median"

    def own_values(self, recipe: Recipe, where: str) -> dict[str, Any]:
        """The recipe's own value of each parameter, which the first trial takes.

        Raises SearchError for a key that the recipe does not set, for a value of it outside of the space, and for keys
        of one parameter that differ.
        """
        known = dict(flat(recipe.model_dump(mode="json")))
        found = {}
        for key, parameter in self.space.items():
            for each in (key, *parameter.also):
                if each not in known:
                    raise SearchError(
                        f"{where}: the recipe has no key '{each}'",
                        code="unknown-key",
                        found=each,
                        action=nearest(each, known),
                    )
            found[key] = known[key]
            if not parameter.holds(known[key]):
                raise SearchError(
                    f"{where}: the recipe's own {key} is outside of the space",
                    code="outside-space",
                    expected="a space that holds the recipe, which is the first trial and what the others must beat",
                    found=json.dumps(known[key]),
                    action=f"widen {key} in {where}",
                )
            if unequal := [each for each in parameter.also if known[each] != known[key]]:
                raise SearchError(
                    f"{where}: {key} and {unequal[0]} differ in the recipe, but take one value in the space",
                    code="unequal-keys",
                    found=f"{json.dumps(known[key])} and {json.dumps(known[unequal[0]])}",
                    action=f"remove {unequal[0]} from `also`, and give it an entry of its own",
                )
        if twice := _twice([each for key, parameter in self.space.items() for each in (key, *parameter.also)]):
            raise SearchError(
                f"{where}: two parameters set {twice}", code="key-twice", found=twice, action="name each key once"
            )
        return found

    def variant(self, recipe: Recipe, values: Mapping[str, Any], where: str) -> Recipe:
        """The recipe with these values of parameters; raises SettingsError where a value is impossible."""
        content = recipe.model_dump(mode="json")
        for key, value in values.items():
            for each in (key, *self.space[key].also):
                *sections, last = each.split(".")
                section = content
                for name in sections:
                    section = section[name]
                section[last] = deepcopy(value)
        return validate(Recipe, content, where)


def load_space(path: Path, recipe: str) -> SearchSpace:
    """Read the search space of a recipe; raises SearchError where there is none, SettingsError for a wrong one."""
    if not path.is_file():
        others = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise SearchError(
            f"the recipe '{recipe}' has no search space",
            code="no-space",
            expected=str(path),
            found=f"spaces for {', '.join(others)}" if others else "no spaces",
            action=f"write it: docs/search.md explains the form; {path.parent} has examples",
        )
    return validate(SearchSpace, read_yaml(path), str(path))


def _twice(keys: list[str]) -> str:
    return next((key for place, key in enumerate(keys) if key in keys[:place]), "")
