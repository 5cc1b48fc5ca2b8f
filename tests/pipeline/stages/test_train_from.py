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

from ganops.data.manifest import read_manifest
from ganops.errors import RegistryError, SettingsError
from ganops.games.game import Request
from ganops.games.sampling import draw_latents, to_uint8
from ganops.games.saved import digest_of, load_game
from ganops.params import load_params
from ganops.recipe import Recipe
from ganops.registry.init_model import InitModel
from ganops.registry.package import log_package
from ganops.registry.versions import CHAMPION, Versions
from ganops.reporting.grids import image_grid
from ganops.tracking.run import read_run_file, start_run
from ganops.tracking.store import connect
from ganops.training.trainer import SAMPLE_SEED_OFFSET
from pipeline.stages.reference import main as make_reference
from pipeline.stages.results import PREPARED, run_file, train_folder
from pipeline.stages.train import Task, main

TRAIN = "train: {device: cpu, precision: float32, compile: never, sample_images: 4, sample_times: 1}\n"
DCGAN, TRANSFER = (shrunk(name, kimg=0.16, image_size=16) for name in ("dcgan", "transfer"))


def write(recipe: Recipe, name: str) -> None:
    """A recipe file; JSON is YAML."""
    Path("pipeline/recipes", f"{name}.yaml").write_text(recipe.model_dump_json())


@pytest.fixture
def home(tracking_home: Path) -> Path:
    """A checkout with prepared digits, their reference and two recipes."""
    make_home(tracking_home)
    params = tracking_home / "params.yaml"
    params.write_text(params.read_text() + TRAIN)
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
    versions.set_alias(CHAMPION, versions.create(uri, {"recipe": "dcgan"}, "a test's model"))


def weights(folder: Path, network: str) -> dict[str, Tensor]:
    return dict(load_file(folder / f"{network}.safetensors"))


def test_it_starts_where_the_champion_is_and_says_which_version_that_was(home: Path) -> None:
    main("dcgan")
    start, out = train_folder("dcgan") / "model", train_folder("transfer")
    promote(start)
    main("transfer")
    latents = draw_latents(4, 16, load_params().seed + SAMPLE_SEED_OFFSET)
    first = image_grid(to_uint8(load_game(start).generate(Request(latents)).detach()), columns=2)
    with Image.open(out / "samples" / "step-00000000.png") as grid:
        difference = np.asarray(grid, dtype=int) - np.asarray(first, dtype=int)
    assert abs(difference).max() <= 1, "rounding may differ in another memory format"
    before, after = (weights(folder, "discriminator") for folder in (start, out / "model"))
    changed = {key.rpartition(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"layers.2", "layers.3", "head.linear"}, "layers.0 is frozen"
    facts = {"model": "models:/ganops/1", "digest": digest_of(start)}
    assert json.loads((out / "training.json").read_text())["init"] == facts
    tags = connect().client.get_run(read_run_file(run_file("transfer")).run_id).data.tags
    assert {key: tags[f"init.{key}"] for key in facts} == facts


def test_without_a_champion_it_says_to_train_one_first(home: Path) -> None:
    with pytest.raises(RegistryError, match="there is no model models:/ganops@champion"):
        main("transfer")
    assert not train_folder("transfer").exists()


def test_a_model_of_other_widths_is_refused_before_anything_is_trained(
    home: Path, register_version: Callable[..., str]
) -> None:
    """The registered one is a pair of multi-layer perceptrons."""
    Versions(connect(), "ganops").point(CHAMPION, register_version())
    with pytest.raises(SettingsError, match=r"transfer\.yaml: init\.model: 'generator' is of another kind"):
        main("transfer")


def test_a_checkpoint_counts_for_one_starting_model_only(home: Path) -> None:
    params, manifest = load_params(), read_manifest(PREPARED)
    tasks = [Task("transfer", params, TRANSFER, manifest, InitModel("m", digest, home)) for digest in ("a", "b", "a")]
    assert len({task.checkpoints for task in tasks}) == 2
