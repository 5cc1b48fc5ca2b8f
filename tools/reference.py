"""docs/reference: every setting, recipe, kind, metric, command and error code, written from the code.

python -m tools.reference [--check]

--check writes nothing and fails where a page is not what the code says. `make docs` writes the pages.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

import click

from ganops.atomic import write_text
from ganops.cli import ganops
from ganops.recipe import Recipe, load_recipe, load_recipes, preset_files
from ganops.workspace import WORKSPACE
from tools.reference_markdown import headed, page, table, table_of
from tools.source import Key, Section, Source

PAGES = Path("docs", "reference")
KINDS = {  # heading: package, registry, what it is
    "Games": ("ganops.games", "GAMES", "`game.kind` of a recipe: who plays, and what each player minimises."),
    "Networks": ("ganops.networks", "NETWORKS", "`networks.<name>.kind` of a recipe."),
    "Sources of data": ("ganops.data.sources", "SOURCES", "`data.source` of params.yaml; the keys are `data.options`."),
    "Derived columns": ("ganops.data.derived", "DERIVATIONS", "`derived.<column>.kind` of a recipe."),
    "Fields": ("ganops.data.fields", "FIELDS", "What a column of the data is: `spec.fields` of manifest.json."),
}
EXIT_CODES = (
    ("0", "done"),
    ("1", "an error that a person can correct: the lines say what was expected, found and what to do"),
    ("2", "a wrong option or argument"),
    ("3", "`ganops promote`: the gate refused the version"),
    ("4", "`ganops promote`: the version failed the smoke test"),
    ("75", "a service did not answer; the same command may succeed later"),
    ("130, 143", "ended by Ctrl-C or SIGTERM; the same command resumes"),
)


def pages(source: Source) -> dict[str, str]:
    """The content of each page by file name."""
    recipes = load_recipes(WORKSPACE.recipes)
    return {
        "params.md": params_page(source),
        "recipes.md": recipes_page(source, recipes),
        "kinds.md": kinds_page(source, list(recipes.values())),
        "metrics.md": metrics_page(source),
        "commands.md": commands_page(),
        "errors.md": errors_page(source),
    }


def params_page(source: Source) -> str:
    """The settings of params.yaml: types from the code, words from the comments of the file."""
    said = comments(WORKSPACE.params.read_text(encoding="utf-8"))
    lines = ["# params.yaml", 'What the whole pipeline does. `make set SET="key=value"` changes it, checked first.']
    waiting, anchors = [("", "Params")], dict[str, str]()
    while waiting:
        place, name = waiting.pop(0)
        section = source.section(name, source.modules["ganops.params"])
        inner = {key.name: re.findall(r"\[section\]\(#(\w+)\)", key.type) for key in section.keys}
        for key, found in inner.items():
            for anchor in found:
                many = (
                    ".name"
                    if "mapping of names" in next(each.type for each in section.keys if each.name == key)
                    else ""
                )
                heading = f"{place}.{key}{many}".lstrip(".")
                anchors[anchor] = re.sub("[^a-z_-]", "", heading)
                waiting.append((heading, source.sections_by_name_lower[anchor][0]))
        lines.append((f"## {place}\n\n" if place else "") + _explained(section, said, place))
    text = page(lines)
    for anchor, heading in anchors.items():
        text = text.replace(f"(#{anchor})", f"(#{heading})")
    return text


def recipes_page(source: Source, recipes: dict[str, Recipe]) -> str:
    """The keys of a recipe file, then every shipped recipe and preset."""
    presets = {name: load_recipe(file) for name, file in preset_files(WORKSPACE.recipes).items()}
    lines = [
        "# Recipes",
        "A file in `pipeline/recipes/` is one model. How to choose one: [choose a recipe](../recipes.md).",
    ]
    lines.append(
        "## Shipped recipes\n\n"
        + table(("recipe", "what it is", "paper", "loss", "needs", "kimg"), map(_row, recipes.items()))
    )
    rows = ((f"`{name}`", recipe.summary, recipe.paper, _loss(recipe)) for name, recipe in presets.items())
    lines.append("## Presets in the size of the paper\n\n" + table(("preset", "what it is", "paper", "loss"), rows))
    lines.append("## Keys\n\n" + table_of(source.section("Recipe", source.modules["ganops.recipe"])))
    for name in ("OptimizerSettings", "EmaSettings", "InitSettings", "HealthSettings"):
        lines.append(headed(source.section(name, source.modules["ganops.recipe"]), 3))
    return page(lines)


def kinds_page(source: Source, recipes: list[Recipe]) -> str:
    """Every kind with every key, then the sections that several kinds share."""
    lines = ["# Kinds", "Each is one file; `kind: name` selects it. To add one: [how to add](../how-to/add.md)."]
    users = [(recipe.game["kind"], *(network["kind"] for network in recipe.networks.values())) for recipe in recipes]
    shown: list[Section] = []
    for heading, (package, variable, about) in KINDS.items():
        found = source.kinds(package, variable)
        lines.append(f"## {heading}\n\n{about}")
        for kind in found:
            names = sum(kind.name in used for used in users)
            note = f" Recipes that use it: {names}." if variable in ("GAMES", "NETWORKS") else ""
            shared = sum(kind.settings.name == other.settings.name for other in found) > 1
            own = Section("", "", (), (kind.settings,)) if shared else kind.settings
            shown.append(own)
            lines.append(f"### {kind.name}\n\n{kind.about}{note}\n\n{table_of(own, about=False)}")
    reached = _reached(source, shown)
    lines.append("## Sections\n\nWhat keys above hold that are sections themselves.")
    lines += [headed(section, 3) for section in reached]
    return page(lines)


def metrics_page(source: Source) -> str:
    """Every metric group with its settings and metrics."""
    lines = ["# Metrics", "`evaluate.metrics` of params.yaml names the groups. What they mean: [scores](../scores.md)."]
    for call, module in sorted(source.calls("MetricGroup"), key=lambda found: found[1].name):
        given = {word.arg: word.value for word in call.keywords}
        names = ("name", "metrics", "applies", "start", "requires")
        given |= dict(zip(names, call.args, strict=False))
        metrics = [_metric(each) for each in ast.walk(given["metrics"]) if _is_call(each, "Metric")]
        settings = ast.unparse(given["settings"]) if "settings" in given else ""
        name = ast.literal_eval(given["name"])
        asked = given.get("requires", ast.Constant(""))
        constant = source.find_value(ast.unparse(asked), module)
        requires = _text(constant[0] if constant else asked)
        needs = f"For {requires}." if requires else ""
        shown = (
            table(("key", "title", "better", "what it says"), metrics) if metrics else "Its metrics depend on the data."
        )
        section = source.section(settings, module) if settings else None
        own = f"\n\n{table_of(section)}" if section and section.keys else ""
        lines.append("\n\n".join(filter(None, (f"## {name}", needs, shown))) + own)
    return page(lines)


def commands_page() -> str:
    """Help texts of all commands of `ganops`, the targets of make, and the exit codes."""
    lines = ["# Commands", "## Exit codes", table(("code", "meaning"), EXIT_CODES), "## make"]
    lines.append(table(("target", "what it does"), make_targets()))
    lines.append(
        "## ganops\n\n`. .venv/bin/activate` first. Completion of names and options: [shell](../how-to/shell.md)."
    )
    context = click.Context(ganops, info_name="ganops", **ganops.context_settings)
    for name in ganops.list_commands(context):
        command: click.Command = importlib.import_module(f"ganops.commands.{name}").command
        lines.append(_help(command, context, f"### ganops {name}"))
        if isinstance(command, click.Group):
            inner = click.Context(command, context, info_name=name)
            lines += [
                _help(command.commands[each], inner, f"#### ganops {name} {each}") for each in sorted(command.commands)
            ]
    return page(lines)


def errors_page(source: Source) -> str:
    """Every error code with its class and message."""
    found: dict[str, set[tuple[str, str]]] = {}
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error")):
                continue
            code = next((word.value for word in node.keywords if word.arg == "code"), None)
            if isinstance(code, ast.Constant) and code.value and node.args:
                found.setdefault(str(code.value), set()).add((node.func.id, _text(node.args[0])))
    rows = [
        (f"`{code}`", ", ".join(sorted({kind for kind, _ in said})), "<br>".join(sorted(text for _, text in said)))
        for code, said in sorted(found.items())
    ]
    about = (
        "`GanopsError.code` is stable: programs go by it, not by the words. Braces stand for what is known then only."
    )
    return page(["# Error codes", about, table(("code", "class", "message"), rows)])


def comments(text: str) -> dict[str, str]:
    """What the comment on each line of a YAML file says, by dotted key."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = re.match(r"( *)([\w-]+):.*?(?:\s# (.*))?$", line)
        if not match or line.lstrip().startswith("#"):
            continue
        indent = len(match[1])
        path = [*(part for part in path if part[0] < indent), (indent, match[2])]
        found[".".join(name for _, name in path)] = (match[3] or "").strip()
    return found


def make_targets(root: Path = Path()) -> list[tuple[str, str]]:
    """The targets that `make` lists, with their lines."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    return [(f"`make {name}`", about) for name, about in re.findall(r"^([a-z-]+):.*?## (.*)$", text, re.MULTILINE)]


def _explained(section: Section, said: dict[str, str], place: str) -> str:
    """The table of a section, with the words of params.yaml where it has some."""
    keys = tuple(
        Key(key.name, key.type, key.default, said.get(f"{place}.{key.name}".lstrip(".")) or key.meaning)
        for key in section.keys
    )
    return table_of(Section(section.name, "", keys))


def _reached(source: Source, sections: list[Section]) -> list[Section]:
    """The sections that these inherit from and that their keys lead to, each once, sorted by name."""
    waiting, found = list(sections), dict[str, Section]()
    while waiting:
        section = waiting.pop()
        anchors = {name for key in section.keys for name in re.findall(r"\[section\]\(#(\w+)\)", key.type)}
        for anchor in sorted(anchors | {base.name.lower() for base in section.bases}):
            if anchor not in found:
                found[anchor] = source.section(*source.sections_by_name_lower[anchor])
                waiting.append(found[anchor])
    return [found[anchor] for anchor in sorted(found)]


def _row(item: tuple[str, Recipe]) -> tuple[str, ...]:
    name, recipe = item
    needs = ", ".join(recipe.needs) or "-"
    return f"`{name}`", recipe.summary, recipe.paper, _loss(recipe), needs, f"{recipe.budget_kimg:g}"


def _loss(recipe: Recipe) -> str:
    return str(recipe.game.get("loss", "-"))


def _metric(call: ast.expr | ast.AST) -> tuple[str, ...]:
    assert isinstance(call, ast.Call)
    names = ("key", "title", "better", "sentence")
    given = dict(zip(names, call.args, strict=False)) | {str(word.arg): word.value for word in call.keywords}
    key = _text(given["key"]) + (
        "_<features>" if ast.unparse(given.get("by_features", ast.Constant(False))) == "True" else ""
    )
    return f"`{key}`", _text(given["title"]), _text(given["better"]).replace("None", "-"), _text(given["sentence"])


def _is_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _text(node: ast.expr) -> str:
    """A literal, or an f-string with its expressions in braces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "{...}" for part in node.values)
        return "".join(map(str, parts))
    return "{...}"


def _help(command: click.Command, parent: click.Context, heading: str) -> str:
    name = heading.rsplit(" ", 1)[-1]
    context = click.Context(command, parent, info_name=name, max_content_width=100, terminal_width=100)
    return f"{heading}\n\n```text\n{command.get_help(context)}\n```"


def main(check: bool) -> int:
    """Write the pages, or say which are not current."""
    wanted = pages(Source())
    stale = [name for name, text in wanted.items() if not _is(PAGES / name, text)]
    stale += [file.name for file in PAGES.glob("*.md") if file.name not in wanted]
    for name in stale:
        if check:
            print(f"{PAGES / name} is not what the code says: run `make docs`", file=sys.stderr)
        elif name in wanted:
            write_text(PAGES / name, wanted[name])
            print(f"wrote {PAGES / name}")
        else:
            (PAGES / name).unlink()
    return 1 if check and stale else 0


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
