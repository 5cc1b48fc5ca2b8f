"""A training depends on the code that it reaches, and on no other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ganops import code_digest
from ganops.code_digest import code_of, code_only, digest, imports_of, modules_of_kinds, registries
from ganops.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[1]
RECIPES = [
    ROOT / f"pipeline/recipes/{name}.yaml" for name in ("dcgan", "bigan", "infogan", "stylegan2", "stylegan2-ada")
]
SOURCE = '''"""A docstring."""

import os  # a comment


class A:
    """Another
    one.
    """

    x = "# not a comment"
    y = """text

    with an empty line"""

    def f(self): "short"
'''


def digests() -> dict[str, str]:
    """Recipe to the digest of its code, as the stage `resolve` makes it of the recipe alone."""
    found = {}
    for file in RECIPES:
        kinds = modules_of_kinds(load_recipe(file).model_dump(mode="json"))
        found[file.stem] = digest(code_of(["pipeline.stages.train", *kinds]))
    return found


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources, which tests may change."""
    copy = tmp_path / "src" / "ganops"
    shutil.copytree(ROOT / "src" / "ganops", copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_digest, "SOURCES", copy)
    monkeypatch.chdir(ROOT)
    return copy


def test_a_changed_network_changes_the_recipes_that_use_it_and_no_other(sources: Path) -> None:
    before = digests()
    network = sources / "networks" / "stylegan2.py"
    network.write_text(network.read_text() + "\nNEW = 1\n")
    after = digests()
    assert {recipe for recipe in before if before[recipe] != after[recipe]} == {"stylegan2", "stylegan2-ada"}


def test_a_changed_game_that_others_are_built_on_changes_them_too(sources: Path) -> None:
    before = digests()
    game = sources / "games" / "standard_gan.py"
    game.write_text(game.read_text() + "\nNEW = 1\n")
    changed = {recipe for recipe, found in digests().items() if found != before[recipe]}
    assert {"dcgan", "stylegan2", "infogan"} <= changed


@pytest.mark.parametrize("room", ["networks", "games", "objectives", "training", "evaluation/metrics"])
def test_a_new_file_changes_nothing(sources: Path, room: str) -> None:
    before = digests()
    (sources / room / "brand_new.py").write_text("X = 1\n")
    assert digests() == before


@pytest.mark.parametrize(
    "name", ["tracking/run.py", "settings.py", "reporting/report.py", "registry/gate.py", "evaluation/reference.py"]
)
def test_what_decides_no_result_changes_nothing(sources: Path, name: str) -> None:
    before = digests()
    (sources / name).write_text((sources / name).read_text() + "\nNEW = 1\n")
    assert digests() == before


def test_comments_docstrings_and_blank_lines_do_not_count() -> None:
    assert code_only(SOURCE) == "\n".join(
        [
            "import os",
            "class A:",
            '    x = "# not a comment"',
            '    y = """text',
            "",
            '    with an empty line"""',
            '    def f(self): "short"',
        ]
    )


def test_comments_in_the_code_of_a_training_train_nothing(sources: Path) -> None:
    before = digests()
    network = sources / "networks" / "dcgan.py"
    network.write_text("# a comment\n" + network.read_text().replace("\n\n\n", "\n\n\n\n"))
    assert digests() == before


def test_imports_inside_functions_count_and_those_for_type_checks_do_not() -> None:
    source = "if TYPE_CHECKING:\n    import a\nelse:\n    import b\n\ndef f():\n    from c.d import e\n"
    assert set(imports_of(source)) == {"b", "c.d", "c.d.e"}


def test_every_registry_is_found() -> None:
    """A registry that is overlooked hides the files of its kinds, and their changes train nothing again."""
    defined = [
        file for file in (ROOT / "src/ganops").rglob("*.py") if re.search(r"\] = KindRegistry\(", file.read_text())
    ]
    assert len(registries()) == len(defined) > 5
    features = modules_of_kinds(load_recipe(ROOT / "pipeline/recipes/srgan.yaml").model_dump(mode="json"))
    assert "ganops.networks.image_features.efficientnet" in features


def test_kinds_are_found_at_any_depth() -> None:
    networks = {"generator": {"kind": "dcgan-generator"}}
    settings = {"game": {"kind": "unconditional"}, "networks": networks, "fields": [{"kind": "image"}]}
    assert modules_of_kinds(settings) == {
        "ganops.games.unconditional",
        "ganops.networks.dcgan",
        "ganops.data.fields.image",
    }
