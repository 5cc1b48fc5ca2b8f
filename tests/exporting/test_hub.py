"""A folder for the Hugging Face Hub: front matter, card, and a model that ganops.load takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from hub_server import COMMIT, Hub, serving_hub
from service import free_port
from small_model import register_small, save_small_model

import ganops
from ganops.errors import ModelError
from ganops.exporting import hub
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


def test_pushing_without_the_package_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    with pytest.raises(ModelError) as refused:
        push(tmp_path, "user/name")
    assert refused.value.code == "missing-extra"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub on this machine, which huggingface_hub takes for the only one."""
    constants = pytest.importorskip("huggingface_hub.constants")
    with serving_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
        yield server


def test_what_is_pushed_is_the_folder_byte_for_byte(served: Hub, tracking_home: Path, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    version = register_small(tmp_path, fid=12.5)
    export_hub(f"models:/ganops/{version}", tmp_path / "hub")
    address = push(tmp_path / "hub", "user/name")
    assert address == f"{served.address}/user/name/commit/{COMMIT}"
    assert served.repository == "user/name"
    assert "Bearer hf_of_a_test" in served.tokens
    assert served.files == {file.name: file.read_bytes() for file in (tmp_path / "hub").iterdir()}
    assert any(name.endswith(".safetensors") for name in served.files)
    card = ModelCard(served.files["README.md"].decode())
    assert [result.metric_value for result in card.data.eval_results if result.metric_type == "fid"] == [12.5]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_hub_that_refuses_is_an_error(served: Hub, tmp_path: Path, status: int) -> None:
    (tmp_path / "model.json").write_text("{}")
    served.refuses = status
    with pytest.raises(ModelError) as refused:
        push(tmp_path, "user/name")
    assert refused.value.code == "push-failed"
    assert served.files == {}


def test_a_hub_that_does_not_answer_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ModelError) as refused:
        push(tmp_path, "user/name")
    assert refused.value.code == "push-failed"
