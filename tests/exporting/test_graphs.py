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
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.spec import DataSpec
from ganops.errors import ModelError
from ganops.exporting import graphs
from ganops.exporting.graphs import describe, export_onnx, export_pt2
from ganops.exporting.module import TOLERANCE, TaskModule, check_parity
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.saved import load_game
from ganops.recipe import OptimizerSettings


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


def test_a_file_says_of_which_form_its_tensors_are() -> None:
    """Nobody would guess that label maps go in as one channel for each class, and classes as numbers."""
    torch.manual_seed(0)
    image, labels = ImageField(channels=3, size=16), LabelTable(classes=("sky", "wall", "door", "lawn"))
    spec = DataSpec(fields={"image": image, "source": LabelMapField(size=16, labels=labels)})
    generator = {"kind": "spade", "width": 4, "hidden": 4}
    discriminator = {"kind": "multiscale-patchgan", "width": 4, "layers": 1}
    networks = {"generator": generator, "discriminator": discriminator}
    spade = build_game(small_recipe(networks=networks, game={"kind": "spade"}), spec)
    assert forms(spade) == {"source": "float32 (N, 4, 16, 16)", "image": "float32 (N, 3, 16, 16)"}
    assert forms(conditional()) == {"label": "int64 (N)", "z": "float32 (N, 8)", "image": "float32 (N, 1, 8, 8)"}


def test_an_output_called_as_an_input_has_a_name_of_its_own() -> None:
    """Each name may stand once in an ONNX file; the task of stargan makes an image of an image."""
    translator = {"kind": "stargan-translator", "width": 4, "halvings": 1, "blocks": 1, "outer_kernel": 3}
    networks = {"generator": translator, "discriminator": {"kind": "stargan-discriminator", "width": 4, "layers": 2}}
    game = build_game(small_recipe(networks=networks, game={"kind": "stargan"}), SPEC)
    assert forms(game) == {
        "image": "float32 (N, 1, 8, 8)",
        "label": "int64 (N)",
        "image_out": "float32 (N, 1, 8, 8)",
    }


@pytest.mark.slow
def test_what_onnx_does_not_have_is_named(tmp_path: Path) -> None:
    networks = {
        "encoder": {"kind": "mlp-encoder", "latent_dim": 4, "widths": [8]},
        "decoder": {"kind": "mlp-generator", "latent_dim": 2, "widths": [8], "norm": False},
    }
    recipe = small_recipe(
        networks=networks,
        game={"kind": "vae", "sigma": 0.7, "mixture": 2},
        optimizers={"autoencoder": OptimizerSettings(lr=1e-3)},
    )
    with pytest.raises(ModelError) as refused:
        export_onnx(TaskModule(build_game(recipe, SPEC), "generate"), tmp_path / "model.onnx")
    assert (refused.value.code, refused.value.found) == (
        "export-failed",
        "aten.linalg_cholesky_ex, which ONNX does not have",
    )
    assert list(tmp_path.iterdir()) == []


def forms(game: Game) -> dict[str, str]:
    found: dict[str, str] = json.loads(describe(TaskModule(game, next(iter(game.tasks)))))["tensors"]
    return found


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
