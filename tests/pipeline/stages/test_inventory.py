"""A change of one's own data is noticed wherever they lie; whatever lies beside the images stops nothing."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from image_files import png, write_files

from ganops.workspace import WORKSPACE
from pipeline.stages.inventory import write_inventory

PARAMS = "{{seed: 0, recipes: auto, data: {{source: {source}, path: {path}}}}}\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a folder of images beside it."""
    write_files(tmp_path / "mine", {f"{n}.png": png(n) for n in range(3)})
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    monkeypatch.chdir(checkout)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    use(checkout, "../mine")
    return checkout


def use(checkout: Path, path: str, source: str = "images") -> None:
    (checkout / "params.yaml").write_text(PARAMS.format(source=source, path=path))


def inventory() -> bytes:
    write_inventory()
    return WORKSPACE.inventory.read_bytes()


def test_the_same_data_give_the_same_inventory(checkout: Path) -> None:
    first = inventory()
    assert inventory() == first
    (checkout / ".dvc" / "tmp" / "ganops-inventory.json").unlink()
    assert inventory() == first, "what was remembered of the files only saves time"


def test_times_do_not_count(checkout: Path, tmp_path: Path) -> None:
    """A copy in another clone is the same data."""
    first = inventory()
    os.utime(tmp_path / "mine" / "0.png", (1, 1))
    assert inventory() == first


@pytest.mark.parametrize("custom", ["mine.pt", "own.mine:network"])
def test_another_extractor_in_the_same_file_is_noticed(custom: str, checkout: Path) -> None:
    """Its path, which `evaluate` says, is as before."""
    (checkout / "own").mkdir()
    settings = f"evaluate: {{features: custom, custom: '{custom}'}}\n"
    (checkout / "params.yaml").write_text(f"seed: 0\nrecipes: auto\ndata: {{source: digits}}\n{settings}")
    found = []
    for content in (b"one", b"one", b"two"):
        for file in ("mine.pt", "own/mine.py"):
            (checkout / file).write_bytes(content)
        write_inventory()
        found.append(WORKSPACE.measuring_files.read_bytes())
    assert found[0] == found[1] != found[2]


def added(mine: Path) -> None:
    (mine / "new.png").write_bytes(png(9))


def removed(mine: Path) -> None:
    (mine / "1.png").unlink()


def renamed(mine: Path) -> None:
    (mine / "1.png").rename(mine / "cats.png")


def rewritten(mine: Path) -> None:
    (mine / "1.png").write_bytes(png(7))


def linked(mine: Path) -> None:
    (mine / "link.png").symlink_to("1.png")


@pytest.mark.parametrize("change", [added, removed, renamed, rewritten, linked])
def test_a_change_is_noticed(checkout: Path, tmp_path: Path, change) -> None:
    first = inventory()
    change(tmp_path / "mine")
    assert inventory() != first


def test_what_is_not_a_file_stops_nothing(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    (mine / "dangling").symlink_to("nowhere")
    (mine / "loop").symlink_to("loop")
    (mine / "up").symlink_to("..")
    (mine / "secret.png").write_bytes(png(5))
    (mine / "secret.png").chmod(0)
    os.mkfifo(mine / "pipe")
    (Path(os.fsdecode(os.fsencode(mine) + b"/\xff\xfe.png"))).write_bytes(b"x")
    monkeypatch.chdir(mine)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    monkeypatch.chdir(checkout)
    first = inventory()
    assert inventory() == first
    (mine / "dangling").unlink()
    assert inventory() != first


def test_a_zip_file_is_its_content(checkout: Path, tmp_path: Path) -> None:
    use(checkout, "../pictures.zip")
    missing = inventory()
    (tmp_path / "pictures.zip").write_bytes(b"one")
    first = inventory()
    (tmp_path / "pictures.zip").write_bytes(b"two")
    assert len({missing, first, inventory()}) == 3


def test_data_sets_known_by_name_do_not_change(checkout: Path, tmp_path: Path) -> None:
    use(checkout, "../mine", source="digits")
    first = inventory()
    added(tmp_path / "mine")
    assert inventory() == first


def test_a_temporary_copy_sees_the_data_of_its_checkout(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dvc exp run --temp` runs elsewhere, with DVC_ROOT naming the checkout."""
    first = inventory()
    copy = tmp_path / "somewhere" / "else"
    copy.mkdir(parents=True)
    use(copy, "../mine")
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(checkout))
    assert inventory() == first


def test_images_that_are_one_of_two_domains_are_watched(checkout: Path, tmp_path: Path) -> None:
    (checkout / "params.yaml").write_text(
        "{seed: 0, recipes: auto, data: {source: domains, path: ../mine, options: {A: {source: images}}}}\n"
    )
    first = inventory()
    added(tmp_path / "mine")
    assert inventory() != first
    use(checkout, "../mine", "digits")
    assert b'"entries": 0' in inventory(), "a source that does not read the path"
