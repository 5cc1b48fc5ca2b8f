"""Exported files answer as the model does, for any number of rows, and hold nothing that is not needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from small_model import SPEC, save_small_model, small_recipe

from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.errors import ModelError
from ganops.exporting import graphs
from ganops.exporting.graphs import export_onnx, export_pt2
from ganops.exporting.module import TOLERANCE, TaskModule, check_parity
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.saved import load_game


def conditional() -> Game:
    """Labels, modulated convolutions and noise of fixed patterns."""
    torch.manual_seed(0)
    style = {"kind": "stylegan2-generator", "width": 4, "latent_dim": 8, "mapping": 1, "labels": "mapping"}
    discriminator = {"kind": "dcgan-discriminator", "width": 4, "labels": "one-hot"}
    networks = {"generator": style, "discriminator": discriminator}
    return build_game(small_recipe(networks=networks, game={"kind": "conditional", "loss": "non-saturating"}), SPEC)


def translator() -> Game:
    """A U-Net with instance norm."""
    torch.manual_seed(0)
    image = ImageField(channels=1, size=16)
    generator = {"kind": "unet", "width": 4, "max_width": 8}
    networks = {"generator": generator, "discriminator": {"kind": "patchgan", "width": 4, "layers": 1}}
    spec = DataSpec(fields={"image": image, "source": image})
    return build_game(small_recipe(networks=networks, game={"kind": "pix2pix"}), spec)


GAMES = {"conditional": conditional, "translator": translator}
INPUTS = {"conditional": ["label", "z"], "translator": ["source"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_onnxruntime_answers_as_the_model_for_any_number_of_rows(name: str, tmp_path: Path) -> None:
    module = TaskModule(GAMES[name](), next(iter(GAMES[name]().tasks)))
    assert export_onnx(module, tmp_path / "model.onnx") <= TOLERANCE
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == INPUTS[name]
    assert [each.name for each in session.get_outputs()] == ["image"]
    for count in (1, 7, 33):
        given = module.example(count)
        fed = {key: tensor.numpy() for key, tensor in zip(module.inputs, given, strict=True)}
        (made,) = session.run(["image"], fed)
        with torch.no_grad():
            (expected,) = module(*given)
        assert np.abs(made - expected.numpy()).max() <= TOLERANCE
    about = json.loads(session.get_modelmeta().custom_metadata_map["ganops"])
    assert about["inputs"] == INPUTS[name]
    assert about["fields"]["image"].startswith("grey images")


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_a_program_answers_as_the_model_for_any_number_of_rows(name: str, tmp_path: Path) -> None:
    module = TaskModule(GAMES[name](), next(iter(GAMES[name]().tasks)))
    assert export_pt2(module, tmp_path / "model.pt2") == 0
    extra = {"ganops.json": ""}
    loaded: Any = torch.export.load(tmp_path / "model.pt2", extra_files=extra).module()
    given = module.example(9)
    with torch.no_grad():
        torch.testing.assert_close(loaded(*given)[0], module(*given)[0], rtol=0, atol=0)
    assert json.loads(extra["ganops.json"])["task"] == module.name


def test_networks_that_the_task_does_not_need_are_left_out(tmp_path: Path) -> None:
    game = load_game(save_small_model(tmp_path / "model"))
    module = TaskModule(game, "generate")
    assert [name for name, _ in module.game.named_children()] == ["generator"]
    assert dict(game.named_children()).keys() == {"generator", "discriminator"}, "the model itself is unchanged"


def test_a_file_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    module = TaskModule(load_game(save_small_model(tmp_path / "model")), "generate")
    for excess in (2 * TOLERANCE, float("nan")):
        with pytest.raises(ModelError) as refused, torch.no_grad():
            check_parity(module, lambda given, excess=excess: tuple(each + excess for each in module(*given)), "model")
        assert refused.value.code == "export-differs"


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(graphs, "ONNX_PACKAGES", ("onnx", "a_package_that_nobody_has"))
    module = TaskModule(load_game(save_small_model(tmp_path / "model")), "generate")
    with pytest.raises(ModelError) as refused:
        export_onnx(module, tmp_path / "model.onnx")
    assert refused.value.code == "missing-extra"
    assert refused.value.found == "missing: a_package_that_nobody_has"
    assert "ganops[export]" in refused.value.action
    assert list(tmp_path.glob("*.onnx")) == []
