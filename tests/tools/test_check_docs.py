"""The pages of this checkout are right, and each kind of fault is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_docs import PAGES, Page, main, problems, read_page, sentences, wrong_command

ROOT = Path(__file__).parents[2]


def test_links_commands_and_examples_of_all_pages_are_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert len({file for each in PAGES for file in ROOT.glob(each)}) > 20
    assert main([]) == 0, capsys.readouterr().out


def page_of(folder: Path, text: str) -> Page:
    (folder / "page.md").write_text(text)
    return read_page(folder / "page.md")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](missing.md)", "the link missing.md leads nowhere"),
        ("[a](#nothing)\n# Some thing", "the link #nothing names a heading"),
        ("[a](../../../etc/passwd)", "leads"),
        ("```python\nx = (\n```", "the python example cannot be read"),
        ("```yaml\na: [1\n```", "the yaml example cannot be read"),
        ("word " * 30 + "word.", "31 words in a sentence"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, text: str, found: str) -> None:
    (problem,) = problems(page_of(tmp_path, text), tmp_path)
    assert found in problem


def test_a_right_page_has_no_problems(tmp_path: Path) -> None:
    text = "# Some `code`, here\n[a](#some-code-here) [b](page.md#some-code-here)\n```python\nx = 1\n```\n"
    assert not list(problems(page_of(tmp_path, text), tmp_path))


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("ganops sample models:/ganops@champion -n 64 -o grid.png", ""),
        ("ganops recipes show dcgan", ""),
        ("ganops --version", ""),
        ("ganops simple", "ganops has no simple"),
        ("ganops recipes shew dcgan", "ganops recipes has no shew"),
        ("ganops sample x --colour", "ganops sample has no option --colour"),
        ("OMP_NUM_THREADS=1 make run DATA=x", ""),
        ("make walk", "make has no target walk"),
        ("python -m benchmarks.zoo --title mnist", ""),
        (".venv/bin/python -m pipeline dvc repro", ""),
        ("python -m pipeline.nothing", "there is no module pipeline.nothing"),
        ("git commit --colour", ""),
    ],
)
def test_commands_are_held_against_the_code(command: str, complaint: str) -> None:
    assert wrong_command(command.split(), ROOT) == complaint


def test_sentences_are_those_of_prose_alone(tmp_path: Path) -> None:
    prose = "# A heading\n\n| a | table |\n\nOne `a b c` sentence. Another\none: [link](x)\n- item one\n"
    text = f"{prose}```sh\ncode here\n```\n"
    found = [sentence for _, sentence in sentences(page_of(tmp_path, text))]
    assert found == ["One code sentence.", "Another one:", "link", "item one"]
