"""`python -m pipeline.set_params KEY=VALUE ...`: change settings and keep the comments.

A key of params.yaml is `train.budget_scale`; one of a recipe is `pipeline/recipes/dcgan.yaml:batch_size`, and one that
the file does not have yet, `pipeline/recipes/dcgan.yaml:+micro_batches`. A value is YAML, or text as it is. Where one
of the values is invalid, every file stays as it was. Without arguments the variable GANOPS_SET holds them, quoted as in
a shell.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode, SequenceNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from ganops.atomic import atomic_path
from ganops.data.sources.source import find_source
from ganops.errors import SettingsError
from ganops.params import Params, read_params
from ganops.recipe import Recipe
from ganops.resolved import read_resolved, recipe_files, write_resolved
from ganops.settings import nearest, parse_yaml, read_yaml, validate
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage

FORM = re.compile(r"(?:(?P<path>[^=:]+):)?(?P<new>\+?)(?P<key>[^=:+]+)=(?P<value>.*)", re.DOTALL)
VARIABLE = "GANOPS_SET"
WIDTH = 4096  # characters after which a value would be folded


@dataclass(frozen=True)
class Assignment:
    """One KEY=VALUE, taken apart; new: whether the file may be without the key."""

    path: Path
    key: tuple[str, ...]
    value: Any
    new: bool

    def apply(self, values: dict[str, Any]) -> None:
        """Change the content of the file; raises SettingsError for a key that it does not have."""
        *sections, last = self.key
        for section in sections:
            values = self._known(values, section, {})
        self._known(values, last, None)
        values[last] = self.value

    def _known(self, values: dict[str, Any], key: str, default: Any) -> Any:
        if key not in values and not self.new:
            raise SettingsError(
                f"{self.path} has no key '{'.'.join(self.key)}'",
                code="unknown-key",
                found=key,
                action=f"{nearest(key, map(str, values))}; or add a key that the file does not have yet: +KEY=VALUE",
            )
        found = values.setdefault(key, default)
        if isinstance(default, dict) and not isinstance(found, dict):
            raise SettingsError(
                f"{self.path}: '{key}' holds no keys",
                code="unknown-key",
                found=f"{key}: {found}",
                action="set it itself",
            )
        return found


def main(*arguments: str) -> None:
    """Apply all assignments; raises SettingsError for a key that does not exist or an invalid value."""
    changes: dict[Path, list[Assignment]] = defaultdict(list)
    for each in map(read_assignment, arguments):
        changes[each.path].append(each)
    with ExitStack() as written:
        for path, assignments in changes.items():
            read_yaml(path)
            temporary = written.enter_context(atomic_path(path))
            shutil.copyfile(path, temporary)
            with edit(temporary) as values:
                for each in assignments:
                    each.apply(values)
            _check(path, read_yaml(temporary))
    _name_recipes()
    print(f"set {shlex.join(arguments) or 'nothing'}")


def _null(writer: RoundTripRepresenter, _value: None) -> ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:null", "null")


def _list_in_line(writer: RoundTripRepresenter, value: list[Any]) -> SequenceNode:
    return writer.represent_sequence("tag:yaml.org,2002:seq", [_quoted(each) for each in value], flow_style=True)


def _quoted(value: Any) -> Any:
    """`value` with quotes around text with a colon, which DVC cannot read in a list of one line without them."""
    if isinstance(value, dict):
        return {key: _quoted(each) for key, each in value.items()}
    return DoubleQuotedScalarString(value) if isinstance(value, str) and ":" in value else value


@contextmanager
def edit(path: Path) -> Generator[dict[str, Any]]:
    """The values of a YAML file, to be changed; the rest of the file stays as it is, whatever happens meanwhile.

    Null is written as `null`, not as an empty value; a new list is written in one line.
    """
    RoundTripRepresenter.add_representer(type(None), _null)
    RoundTripRepresenter.add_representer(list, _list_in_line)  # what was read from the file has types of its own
    form = YAML()
    form.preserve_quotes, form.width = True, WIDTH
    values = form.load(path.read_text(encoding="utf-8"))
    yield values
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        form.dump(values, file)


def _check(path: Path, values: dict[str, Any]) -> None:
    """Raise SettingsError for values that are wrong whatever the data are."""
    if path == WORKSPACE.params:
        params = validate(Params, values, str(path))
        find_source(params.data.source)
        recipe_files(params, WORKSPACE.recipes)
        return
    recipe = validate(Recipe, values, str(path))
    # Imported here: they take torch, which settings of params.yaml do without.
    from ganops.data.derived.derivation import DERIVATIONS
    from ganops.games.game import GAMES
    from ganops.networks.network import NETWORKS

    GAMES.settings(recipe.game, f"{path}: game")
    for name, network in recipe.networks.items():
        NETWORKS.settings(network, f"{path}: networks.{name}")
    for name, derived in recipe.derived.items():
        DERIVATIONS.settings(derived, f"{path}: derived.{name}")


def read_assignment(text: str) -> Assignment:
    """Take an assignment apart; raises SettingsError for what has another form, or reaches out of the checkout."""
    form = FORM.fullmatch(text)
    if form is None:
        raise SettingsError(
            f"{text!r} is not KEY=VALUE",
            code="bad-assignment",
            expected="KEY=VALUE, or FILE:KEY=VALUE",
            action="quote a value that holds spaces: make set SET=\"data.path='my images'\"",
        )
    if "${" in text or not text.isprintable():
        raise SettingsError(
            f"{text!r} cannot be set",
            code="bad-assignment",
            expected="the value itself, in printable characters",
            found="${...}, which other tools replace" if "${" in text else "a character that cannot be printed",
        )
    return Assignment(
        _settings_file(form["path"]), tuple(form["key"].split(".")), _value(form["value"]), bool(form["new"])
    )


def _settings_file(name: str | None) -> Path:
    """params.yaml or the file of a recipe, as a path from the checkout; raises SettingsError for any other file."""
    path = Path(os.path.normpath(name or WORKSPACE.params))
    known = path == WORKSPACE.params or (path.suffix == ".yaml" and path.is_relative_to(WORKSPACE.recipes))
    root = WORKSPACE.root.resolve()
    if not known or not path.resolve().is_relative_to(root):
        raise SettingsError(
            f"{name} does not hold settings",
            code="no-settings-file",
            expected=f"{WORKSPACE.params} or {WORKSPACE.recipes}/NAME.yaml, inside this checkout",
            found=str(path.resolve()),
        )
    return path


def _value(text: str) -> Any:
    """What YAML makes of `text`; text as it is where that is a word, or nothing that YAML knows."""
    try:
        value = parse_yaml(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return text
    return value if not isinstance(value, str) or text[0] in "'\"" else text


def _name_recipes() -> None:
    """Let pipeline/resolved.yaml follow what params.yaml says by name, so that DVC sees the right recipes at once."""
    resolved = read_resolved(WORKSPACE.resolved)
    if resolved is None:
        return
    following = resolved.following(read_params(WORKSPACE.params), WORKSPACE.recipes)
    if following != resolved:
        write_resolved(following, WORKSPACE.resolved)


def _words(text: str) -> Sequence[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        sys.exit(f"error: {VARIABLE} cannot be split into words: {error}\n  found: {text}")


if __name__ == "__main__":
    sys.argv[1:] = sys.argv[1:] or _words(os.environ.get(VARIABLE, ""))
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run_stage(main)
