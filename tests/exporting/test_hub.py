"""A folder for the Hugging Face Hub: front matter, card, and a model that ganops.load takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from small_model import register_small, save_small_model

import ganops
from ganops.errors import ModelError
from ganops.exporting.hub import export_hub, push


def front(folder: Path) -> tuple[dict[str, object], str]:
    _, matter, text = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(matter), text


def test_a_registered_model_brings_its_card_and_scores(tracking_home: Path, tmp_path: Path) -> None:
    version = register_small(tmp_path, fid=12.5)
    export_hub(f"models:/ganops/{version}", tmp_path / "hub")
    matter, text = front(tmp_path / "hub")
    assert matter["pipeline_tag"] == "unconditional-image-generation"
    assert matter["library_name"] == "ganops"
    (entry,) = matter["model-index"]
    assert [metric["value"] for metric in entry["results"][0]["metrics"] if metric["type"] == "fid"] == [12.5]
    assert entry["results"][0]["dataset"]["name"] == "digits"
    assert "## Lineage" in text
    assert "ganops.load(snapshot_download('USER/NAME'))" in text
    assert not [file for file in (tmp_path / "hub").iterdir() if file.suffix in (".pkl", ".pt", ".bin")]


def test_the_folder_is_the_model(tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "model")
    export_hub(str(model), tmp_path / "out" / "hub")
    made, own = (ganops.load(folder).generate(4, seed=3).rows["image"] for folder in (tmp_path / "out" / "hub", model))
    assert torch.equal(made, own)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["hub"], "nothing is left of the making"


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "mine.txt").write_text("mine")
    with pytest.raises(ModelError) as refused:
        export_hub(str(save_small_model(tmp_path / "model")), tmp_path / "hub")
    assert refused.value.code == "folder-exists"


def test_pushing_without_the_package_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as refused:
        push(tmp_path, "user/name")
    assert refused.value.code == "missing-package"
