"""Check the pages of the documentation against the checkout.

python -m tools.check_docs [PAGE ...]

Links lead to files and headings that exist; `ganops` and `make` commands exist with the options named; `python -m`
names a module of the checkout; Python examples compile and YAML examples can be read; no sentence is too long.
"""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import click
import yaml

from ganops.cli import ganops
from tools.reference import make_targets

LONGEST_SENTENCE = 30  # words
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**/*.md", ".github/**/*.md")
OWN_MODULES = ("pipeline", "benchmarks", "tools", "tests")
SHELL = {"sh", "console", "bash"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the line of the page it starts at, and its text."""

    language: str
    line: int
    text: str


@dataclass(frozen=True)
class Page:
    """A page in parts: prose with its line numbers, code blocks, headings as anchors."""

    path: Path
    prose: tuple[tuple[int, str], ...]
    blocks: tuple[Block, ...]

    @property
    def anchors(self) -> set[str]:
        """What links to a place in this page may name."""
        found: dict[str, int] = {}
        for _, line in self.prose:
            if match := re.match(r"#+ (.*)", line):
                slug = slug_of(match[1])
                found[slug] = found.get(slug, 0) + 1
        return {slug if place == 0 else f"{slug}-{place}" for slug, count in found.items() for place in range(count)}


@cache
def read_page(path: Path) -> Page:
    """Split a page."""
    prose, blocks, block, language, start = list[tuple[int, str]](), list[Block](), list[str](), "", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            if start:
                blocks.append(Block(language, start, "\n".join(block)))
                start, block = 0, []
            else:
                start, language = number, line.strip().strip("`").split(" ")[0]
        elif start:
            block.append(line)
        else:
            prose.append((number, line))
    return Page(path, tuple(prose), tuple(blocks))


def slug_of(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def problems(page: Page, root: Path) -> Iterator[str]:
    """Everything wrong with a page, as lines for a person."""
    where = page.path.relative_to(root)
    for line, text in _links(page):
        if complaint := _broken(text, page, root):
            yield f"{where}:{line}: {complaint}"
    for line, command in _commands(page):
        if complaint := wrong_command(command, root):
            yield f"{where}:{line}: {complaint}"
    for block in page.blocks:
        if complaint := _unreadable(block):
            yield f"{where}:{block.line}: {complaint}"
    for line, sentence in sentences(page):
        if len(sentence.split()) > LONGEST_SENTENCE:
            yield f"{where}:{line}: {len(sentence.split())} words in a sentence: {sentence[:70]} ..."


def _links(page: Page) -> Iterator[tuple[int, str]]:
    for line, text in page.prose:
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
            yield line, target


def _broken(target: str, page: Page, root: Path) -> str:
    if re.match(r"[a-z]+:", target):
        return ""
    name, _, anchor = unquote(target).partition("#")
    path = (page.path.parent / name).resolve() if name else page.path
    if not path.exists():
        return f"the link {target} leads nowhere"
    if not path.is_relative_to(root):
        return f"the link {target} leads out of the checkout"
    if anchor and path.suffix == ".md" and anchor not in read_page(path).anchors:
        return f"the link {target} names a heading that {path.relative_to(root)} lacks"
    return ""


def _commands(page: Page) -> Iterator[tuple[int, list[str]]]:
    """Commands in shell blocks and in inline code, as words."""
    for block in page.blocks:
        if block.language in SHELL:
            prompts = block.language == "console" or block.text.startswith("$ ")
            for offset, line in enumerate(block.text.replace("\\\n", " ").splitlines(), 1):
                if not prompts or line.startswith("$ "):
                    yield from ((block.line + offset, words) for words in _words(line.removeprefix("$ ")))
    for line, text in page.prose:
        for code in re.findall(r"`([^`]+)`", text):
            if re.match(r"(ganops [a-z]|make [a-z]|python -m |\.venv/bin/python -m )", code):
                yield from ((line, words) for words in _words(code))


def _words(line: str) -> list[list[str]]:
    """The simple commands of a line; nothing where a shell would need more lines."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()")
    lexer.whitespace_split, lexer.commenters = True, "#"
    try:
        words = list(lexer)
    except ValueError:
        return []
    commands: list[list[str]] = [[]]
    for word in words:
        if set(word) <= set("|&;()"):
            commands.append([])
        else:
            commands[-1].append(word)
    return [command for command in commands if command]


def wrong_command(words: list[str], root: Path) -> str:
    """What is wrong with a command of ganops, make or `python -m`; nothing for any other."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    name, rest = (words[0].rsplit("/", 1)[-1], words[1:]) if words else ("", [])
    if name == "ganops":
        return _wrong_ganops(rest)
    if name == "make":
        known = {target.strip("`").split(" ")[1] for target, _ in make_targets(root)}
        unknown = [word for word in rest if re.fullmatch(r"[a-z-]+", word) and word not in known]
        return f"make has no target {unknown[0]}" if unknown else ""
    if name in ("python", "python3") and len(rest) > 1 and rest[0] == "-m" and rest[1].split(".")[0] in OWN_MODULES:
        module = root.joinpath(*rest[1].split("."))
        if not (module.with_suffix(".py").exists() or (module / "__main__.py").exists()):
            return f"there is no module {rest[1]}"
    return ""


def _wrong_ganops(words: list[str]) -> str:
    context, path = click.Context(ganops, info_name="ganops"), ["ganops"]
    command: click.Command = ganops
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = _command(words[0]) if command is ganops else command.get_command(context, words[0])
        if found is None:
            return f"{' '.join(path)} has no {words[0]}"
        command, path, words = found, [*path, words[0]], words[1:]
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | {"-h", "--help"}
    options |= {"--version"} if command is ganops else set()
    for word in words:
        option = word.split("=")[0]
        if re.match(r"--?[a-z]", option) and option not in options:
            return f"{' '.join(path)} has no option {option}"
    return ""


def _command(name: str) -> click.Command | None:
    if name not in ganops.list_commands(click.Context(ganops)):
        return None
    command: click.Command = importlib.import_module(f"ganops.commands.{name}").command
    return command


def _unreadable(block: Block) -> str:
    try:
        if block.language == "python":
            ast.parse(block.text)
        elif block.language in ("yaml", "yml"):
            yaml.safe_load(block.text)
    except (SyntaxError, yaml.YAMLError) as error:
        return f"the {block.language} example cannot be read: {' '.join(str(error).split())}"
    return ""


def sentences(page: Page) -> Iterator[tuple[int, str]]:
    """Sentences of the prose with the line that their paragraph starts at; no tables, headings or comments."""
    paragraph, start = list[str](), 0
    for number, line in [*page.prose, (0, "")]:
        text = line.strip()
        begins = re.match(r"([-*>]|\d+\.) ", text)
        if not text or begins or text[0] in "|#<!":
            yield from ((start, each) for each in _split(" ".join(paragraph)))
            paragraph, start = ([text[begins.end() :]] if begins else []), number
        else:
            start = start if paragraph else number
            paragraph.append(text)


def _split(text: str) -> list[str]:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    plain = re.sub(r"`[^`]*`", "code", plain)
    return [each for each in re.split(r"(?<=[.!?:;])[\"')*]*\s+", plain) if each.strip()]


def main(pages: list[str]) -> int:
    """Print all problems; 1 where there are any."""
    root = Path.cwd()
    files = [root / page for page in pages] or sorted({file for each in PAGES for file in root.glob(each)})
    found = [problem for file in files for problem in problems(read_page(file), root)]
    print("\n".join(found) or f"{len(files)} pages: links, commands and examples are right")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
