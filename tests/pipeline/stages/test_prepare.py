"""The stage reads params.yaml, writes data/prepared and says in some lines what it did, or in a sentence why not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from image_files import png, write_files

from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import read_packed
from ganops.data.spec import DataSpec
from ganops.errors import DataError
from pipeline.stages.prepare import describe, main

ROOT = Path(__file__).resolve().parents[3]
PARAMS = """
seed: 0
recipes: [mlp]
data: {{source: {source}, path: {path}, image_size: 16, channels: 3, test_share: 0.2, max_rejected: {max_rejected}}}
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a folder of images beside it."""
    write_files(tmp_path / "mine", {f"{'cats' if n % 2 else 'dogs'}/{n:02}.png": png(n) for n in range(40)})
    write_files(tmp_path / "mine", {"cats/a.txt": b"1", "dogs/empty.png": b""})
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    monkeypatch.chdir(checkout)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return checkout


def write_params(folder: Path, source: str = "images", path: str = "../mine", max_rejected: float = 0.1) -> None:
    (folder / "params.yaml").write_text(PARAMS.format(source=source, path=path, max_rejected=max_rejected))


def test_what_was_prepared_is_summarised(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_params(checkout)
    main()
    manifest = read_manifest(checkout / "data" / "prepared")
    train, test = manifest.counts["train"], manifest.counts["test"]
    assert train + test == 40
    assert capsys.readouterr().out == (
        "prepared images (mine): image: RGB images of 16 x 16 pixels\n"
        f"  rows      {train} train, {test} test (split by the images' own content)\n"
        "  classes   2: cats, dogs\n"
        f"  digest    {manifest.digest[:12]}\n"
        "  rejected  2: not an image (1), empty file (1); data/prepared/manifest.json names them\n"
    )


def test_rejections_above_the_limit_stop_the_stage(checkout: Path) -> None:
    write_params(checkout, max_rejected=0.01)
    with pytest.raises(DataError) as raised:
        main()
    assert raised.value.code == "too-many-rejected"
    assert not (checkout / "data" / "prepared" / "manifest.json").exists()


def test_a_temporary_copy_finds_the_images_of_its_checkout(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dvc exp run --temp` runs elsewhere, with DVC_ROOT naming the checkout from which relative paths are counted."""
    copy = tmp_path / "somewhere" / "else" / "copy"
    copy.mkdir(parents=True)
    write_params(copy)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(checkout))
    main()
    assert sum(read_manifest(copy / "data" / "prepared").counts.values()) == 40
    assert not (checkout / "data").exists()


def test_a_wrong_path_is_an_error(checkout: Path) -> None:
    write_params(checkout, path="../missing")
    with pytest.raises(DataError) as raised:
        main()
    assert raised.value.code == "path-missing"


def test_as_a_command_it_decodes_in_processes_of_its_own(checkout: Path) -> None:
    write_files(checkout / "many", {f"{n}.png": png(n, size=4) for n in range(600)})
    write_params(checkout, path="many")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    command = [sys.executable, "-m", "pipeline.stages.prepare"]
    result = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "600/600 images" in result.stderr
    assert sum(len(read_packed(checkout / "data" / "prepared", split)) for split in ("train", "test")) == 600


def test_the_summary_names_all_fields_of_pairs_and_both_domains() -> None:
    image, source = ImageField(channels=3, size=16), ImageField(channels=1, size=8)
    made: dict[str, Any] = {"source": "images", "digest": "0" * 64, "counts": {"train": 9, "test": 3}}
    said = describe(Manifest(spec=DataSpec(fields={"image": image, "source": source}), **made))
    assert said.startswith(f"prepared images (): image: {image.description}; source: {source.description}\n  rows ")
    counts = {"A": {"train": 9, "test": 3}, "B": {"train": 1200, "test": 300}}
    domains = DataSpec(fields={"A": image, "B": source}, paired=False)
    lines = describe(Manifest(spec=domains, domain_counts=counts, **made)).splitlines()
    assert lines[0] == f"prepared images (): A: {image.description}; B: {source.description}"
    assert [line.split(" (")[0] for line in lines[1:3]] == [
        "  A         9 train, 3 test",
        "  B         1,200 train, 300 test",
    ]
