"""A job knows all that decides its result, refuses what is impossible at once, and sets up the process that trains."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_training import SPEC, digits, make_job, run, save_model, shrunk

from ganops.data.spec import DataSpec
from ganops.errors import TrainingError
from ganops.games.sampling import HeldOut
from ganops.recipe import InitSettings
from ganops.training import job as job_module
from ganops.training.job import TrainingJob

OTHER_SETTINGS = {"threads": 2, "graphs": "never", "cpu_kernels": "off"}
UNLABELLED = DataSpec(fields={"image": SPEC.fields["image"]})


def changed(job: TrainingJob, **settings: Any) -> TrainingJob:
    return replace(job, settings=job.settings.model_copy(update=settings))


def test_everything_that_decides_the_result_is_in_the_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = shrunk("mlp")
    job = make_job(recipe)
    others = [
        job.identity("classifier"),
        job.identity(None, ["ganops.evaluation.frechet"]),
        replace(job, default_seed=1).identity(),
        replace(job, recipe=shrunk("mlp", kimg=1)).identity(),
        replace(job, data_digest="other").identity(),
        make_job(recipe, start=save_model(tmp_path, recipe)).identity(),
        *(
            changed(job, **change).identity()
            for change in ({"threads": 2}, {"graphs": "never"}, {"cpu_kernels": "off"})
        ),
    ]
    monkeypatch.setattr(job_module, "code_of", lambda _start: {"ganops.games.unconditional": "edited"})
    others.append(job.identity())
    monkeypatch.undo()
    assert len({job.identity(), *others}) == len(others) + 1
    assert make_job(recipe).identity() == job.identity()


def test_what_decides_no_result_is_not_in_the_identity() -> None:
    """Another rhythm of checkpoints, and another reaction to an unhealthy training, resume what there is."""
    job = make_job(shrunk("mlp"))
    for change in ({"checkpoint_seconds": 5.0}, {"on_unhealthy": "recover"}):
        assert changed(job, **change).identity() == job.identity()
    assert replace(job, recipe=job.recipe.model_copy(update={"summary": "other words"})).identity() == job.identity()


def test_the_code_is_that_of_the_kinds_that_the_recipe_names() -> None:
    codes = {name: make_job(shrunk(name)).code_digest() for name in ("dcgan", "lsgan", "stylegan2")}
    assert codes["dcgan"] == codes["lsgan"]
    assert codes["dcgan"] != codes["stylegan2"]


def test_all_that_is_impossible_is_said_at_once() -> None:
    recipe = shrunk("cgan", images=1000)
    job = replace(make_job(recipe, processes=3), data=UNLABELLED)
    codes = [problem.code for problem in job.problems(256)]
    assert codes[:3] == ["needs-labels", "too-few-images", "micro-batches-not-shared"]
    with pytest.raises(TrainingError) as caught:
        job.check(256)
    assert caught.value.code == "cannot-train"
    assert all(problem.message in caught.value.found for problem in job.problems(256))


def test_a_single_problem_is_raised_as_it_is() -> None:
    with pytest.raises(TrainingError) as caught:
        make_job(shrunk("mlp", images=1000)).check(256)
    assert (caught.value.code, caught.value.found) == ("too-few-images", "256")


@pytest.mark.parametrize("name", ["mlp", "cgan", "stylegan2"])
def test_what_is_possible_has_no_problems(name: str) -> None:
    assert make_job(shrunk(name)).problems(256) == []


def test_the_job_shows_as_many_different_images_as_the_recipe_says(tmp_path: Path) -> None:
    trainer = make_job(shrunk("mlp", images=20)).build([digits()], tmp_path)
    assert len(trainer.data.rows[0]) == 20


def test_a_recipe_of_another_image_size_trains_and_samples_in_it(tmp_path: Path) -> None:
    trainer = make_job(shrunk("dcgan", kimg=0.08, image_size=16, channels=3)).build(
        [digits()], tmp_path, held_out=HeldOut(digits(), SPEC)
    )
    assert run(trainer).game.task.outputs["image"].shape == (3, 16, 16)


def test_a_job_that_starts_from_a_model_has_its_weights(tmp_path: Path) -> None:
    recipe = shrunk("mlp", init=InitSettings(model="start"))
    start = save_model(tmp_path, recipe)
    games = [make_job(recipe, seed, start).new_game().state_dict() for seed in (0, 1)]
    assert all(bool((games[0][key] == games[1][key]).all()) for key in games[0])


SIDE_EFFECTS = """
import sys, warnings, tempfile
from pathlib import Path
sys.path.insert(0, "tests")
import torch
from tiny_training import SPEC, digits, make_job, shrunk
from ganops.training.batches import TrainingData
from ganops.training.hardware import Hardware
from ganops.training.plan import make_plan
from ganops.training.trainer import Trainer

def state():
    kernel = torch._C._dispatch_dump("aten::convolution_backward")
    deterministic = torch.are_deterministic_algorithms_enabled()
    ignored = [entry[1] for entry in warnings.filters if entry[1]]
    return kernel, deterministic, torch.get_num_threads(), ignored, torch.random.get_rng_state().tolist()

recipe = shrunk("dcgan")
job = make_job(recipe, threads=3)
game = job.new_game()
plan = make_plan(recipe, job.settings, "discriminator")
before = state()
hardware = Hardware(torch.device("cpu"), torch.float32, compiled=False)
Trainer(game, recipe, TrainingData((digits(),), SPEC.fields, SPEC), job.settings, plan, hardware, Path("unused"), 0)
assert state() == before, "a constructor changed its process"
off = make_job(recipe, threads=3, cpu_kernels="off").build([digits()], Path("unused"))
assert state()[0] == before[0], "cpu_kernels: off"
job.build([digits()], Path("unused"))
after = state()
assert after[0] != before[0] and after[1] and after[2] == 3, "the job sets the process up"
"""


def test_constructing_a_trainer_changes_nothing_outside_of_it() -> None:
    """Nor does a job with `cpu_kernels: off` replace kernels; in a process of its own, which is still untouched."""
    subprocess.run([sys.executable, "-c", SIDE_EFFECTS], check=True, cwd=Path(__file__).parents[2])


def test_graphs_never_captures_nothing(tmp_path: Path) -> None:
    for graphs, captured in (("auto", True), ("never", False)):
        trainer = make_job(shrunk("mlp"), graphs=graphs).build([digits()], tmp_path)
        assert (trainer.stepper.capture is not None) == captured
