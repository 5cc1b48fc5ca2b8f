"""The train stage: a training that starts from a registered model, and what it leaves on record of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluated_home import make_home
from PIL import Image
from safetensors.torch import load_file
from small_model import small_params
from tiny_training import shrunk
from torch import Tensor

from ganops.data.fields.pictures import image_grid
from ganops.data.manifest import read_manifest
from ganops.errors import RegistryError, SettingsError
from ganops.games.sampling import sample_outputs
from ganops.games.saved import digest_of, load_game
from ganops.recipe import Recipe
from ganops.registry.init_model import InitModel
from ganops.registry.package import log_package
from ganops.registry.versions import CHAMPION, Versions
from ganops.resolved import load_params
from ganops.tracking.run import read_run_file, start_run
from ganops.tracking.store import connect
from ganops.training.job import TrainingJob
from ganops.training.trainer import SAMPLE_SEED_OFFSET
from ganops.workspace import WORKSPACE
from pipeline.stages.reference import main as make_reference
from pipeline.stages.train import main

TRAIN = "train: {device: cpu, precision: float32, compile: never, sample_images: 4, sample_times: 1}\n"
DCGAN, TRANSFER = (shrunk(name, kimg=0.16, image_size=16) for name in ("dcgan", "transfer"))


def write(recipe: Recipe, name: str) -> None:
    """A recipe file; JSON is YAML."""
    WORKSPACE.recipe(name).write_text(recipe.model_dump_json())


@pytest.fixture
def home(tracking_home: Path) -> Path:
    """A checkout with prepared digits, their reference and two recipes."""
    make_home(tracking_home)
    WORKSPACE.params.write_text(WORKSPACE.params.read_text() + TRAIN)
    make_reference()
    write(DCGAN, "dcgan")
    write(TRANSFER, "transfer")
    return tracking_home


def promote(folder: Path) -> None:
    """Make a model folder a version of the registered model, and the champion."""
    (folder.parent / "card").mkdir()
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        uri = log_package(run.store, run.run_id, folder, folder.parent / "card")
    versions = Versions(connect(), "ganops")
    versions.set_alias(CHAMPION, versions.create(uri, {"recipe": "dcgan"}))


def weights(folder: Path, network: str) -> dict[str, Tensor]:
    return dict(load_file(folder / f"{network}.safetensors"))


def test_it_starts_where_the_champion_is_and_says_which_version_that_was(home: Path) -> None:
    main("dcgan")
    start, out = WORKSPACE.model("dcgan"), WORKSPACE.trained("transfer")
    promote(start)
    main("transfer")
    samples = sample_outputs(load_game(start), 4, load_params().seed + SAMPLE_SEED_OFFSET)
    first = image_grid(samples["image"], columns=2)
    with Image.open(out / "samples" / "step-00000000.png") as grid:
        difference = np.asarray(grid, dtype=int) - np.asarray(first, dtype=int)
    assert abs(difference).max() <= 1, "rounding may differ in another memory format"
    before, after = (weights(folder, "discriminator") for folder in (start, out / "model"))
    changed = {key.rpartition(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"layers.2", "layers.3", "head.linear"}, "layers.0 is frozen"
    facts = {"model": "models:/ganops/1", "digest": digest_of(start)}
    assert json.loads((out / "training.json").read_text())["init"] == facts
    tags = connect().client.get_run(read_run_file(WORKSPACE.run_file("transfer")).run_id).data.tags
    assert {key: tags[f"init.{key}"] for key in facts} == facts


def test_without_a_champion_it_says_to_train_one_first(home: Path) -> None:
    with pytest.raises(RegistryError) as caught:
        main("transfer")
    assert caught.value.code == "no-such-version"
    assert "models:/ganops@champion" in caught.value.message
    assert "train and promote one first" in caught.value.action
    assert not WORKSPACE.trained("transfer").exists()


def test_a_model_of_another_kind_is_refused_before_anything_is_trained(
    home: Path, register_version: Callable[..., str]
) -> None:
    """The registered one is a pair of multi-layer perceptrons."""
    Versions(connect(), "ganops").set_alias(CHAMPION, register_version())
    with pytest.raises(SettingsError) as caught:
        main("transfer")
    error = caught.value
    assert (error.code, error.expected, error.found) == ("other-kind", "dcgan-generator", "mlp-generator")
    assert error.message.startswith(f"{WORKSPACE.recipe('transfer')}: init.model: 'generator'")
    assert not WORKSPACE.checkpoints.exists()
    assert not WORKSPACE.trained("transfer").exists()


def test_a_checkpoint_counts_for_one_starting_model_only(home: Path) -> None:
    """Its content counts, and not the address under which it was found."""
    params, manifest = load_params(), read_manifest(WORKSPACE.prepared)
    starts = [InitModel(model, digest, home) for model, digest in (("m", "a"), ("m", "b"), ("another address", "a"))]
    a, b, again = (
        TrainingJob("transfer", TRANSFER, params.train, params.seed, manifest.spec, manifest.digest, start).identity()
        for start in starts
    )
    assert a == again != b
