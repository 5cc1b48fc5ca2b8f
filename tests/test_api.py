"""The public interface: light to import, typed, and the same rows for the same arguments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from playing import points_spec, spec_of

import ganops
from ganops.data.manifest import Manifest, manifest_path
from ganops.data.packed import write_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import DataError, GanopsError, SettingsError
from ganops.games.build import build_game
from ganops.games.saved import SavedModel, save_game
from ganops.games.task import Task
from ganops.recipe import load_recipe
from ganops.workspace import WORKSPACE

RECIPES = Path(__file__).resolve().parents[1] / "pipeline" / "recipes"
IMAGES = spec_of(1, 8, ("zero", "one"), (0.75, 0.25))
HEAVY = ("torch", "mlflow", "matplotlib", "sklearn", "numpy", "pandas", "PIL", "pydantic", "click")


def save(name: str, spec: DataSpec, folder: Path) -> ganops.Model:
    torch.manual_seed(0)
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    save_game(folder, build_game(recipe, spec), SavedModel(name=name, recipe=recipe, spec=spec))
    return ganops.load(folder)


@pytest.fixture
def conditional(tmp_path: Path) -> ganops.Model:
    return save("cgan", IMAGES, tmp_path / "model")


@pytest.fixture
def translation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ganops.Model:
    """A model whose task takes an image: the conditional one with its input exchanged."""
    monkeypatch.chdir(tmp_path)
    model = save("mlp", IMAGES, tmp_path / "model")
    field = model.spec.fields["image"]
    model.game.tasks = {"main": Task(outputs={"image": field}, inputs={"image": field}, paired=True)}
    model.game.generate = lambda inputs, task=None: Rows({"image": -inputs["image"]})
    return model


def prepare(count: int = 20) -> torch.Tensor:
    images = torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8)
    rows = Rows({"image": images, "label": torch.arange(count) % 2})
    for split in ("train", "test"):
        write_packed(WORKSPACE.prepared, split, rows, IMAGES.fields)
    Manifest(source="digits", digest="d" * 64, spec=IMAGES, counts={"train": count, "test": count}).write(
        manifest_path(WORKSPACE.prepared)
    )
    return images


def code_of(error: pytest.ExceptionInfo[GanopsError]) -> str:
    return error.value.code


def test_importing_ganops_imports_nothing_heavy() -> None:
    program = f"import sys, ganops; dir(ganops); print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_name_is_there_and_others_are_not() -> None:
    assert all(callable(getattr(ganops, name)) for name in ganops.__all__)
    assert set(ganops.__all__) <= set(dir(ganops))
    with pytest.raises(AttributeError):
        ganops.laod  # noqa: B018
    assert (Path(ganops.__file__).parent / "py.typed").is_file()


def test_a_model_tells_its_task_data_and_recipe(conditional: ganops.Model) -> None:
    assert list(conditional.task.inputs) == ["label"]
    assert list(conditional.task.outputs) == ["image"]
    assert conditional.spec == IMAGES
    assert conditional.recipe == load_recipe(RECIPES / "cgan.yaml")


def test_the_same_arguments_give_the_same_pictures(conditional: ganops.Model) -> None:
    one, same = conditional.generate(n=5, seed=7), conditional.generate(n=5, seed=7, batch_size=2)
    assert torch.equal(one.rows["image"], same.rows["image"])
    assert not torch.equal(one.rows["image"], conditional.generate(n=5, seed=8).rows["image"])
    pictures = one.pictures()
    assert (len(pictures), pictures[0].size, pictures[0].mode) == (5, (8, 8), "L")
    assert isinstance(one.grid(columns=5), Image.Image)
    assert len(one) == 5


def test_labels_follow_the_data_unless_they_are_given(conditional: ganops.Model) -> None:
    drawn = conditional.generate(n=8).inputs
    assert drawn is not None
    assert drawn["label"].bincount().tolist() == [6, 2]
    for label in ("one", ["one"] * 8, torch.tensor(1), torch.ones(8, dtype=torch.int64)):
        given = conditional.generate(n=8, label=label).inputs
        assert given is not None
        assert given["label"].tolist() == [1] * 8
    mixed = conditional.generate(n=2, label=["one", "zero"]).inputs
    assert mixed is not None
    assert mixed["label"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"label": "two"}, "unknown-class"),
        ({"label": 1.5}, "unknown-class"),
        ({"label": torch.tensor([1, 1])}, "wrong-count"),
        ({"label": torch.tensor(7)}, "bad-label"),
        ({"lable": "one"}, "unknown-input"),
    ],
)
def test_inputs_that_do_not_fit_are_named(conditional: ganops.Model, inputs: dict[str, object], code: str) -> None:
    with pytest.raises(DataError) as error:
        conditional.generate(n=3, **inputs)
    assert code_of(error) == code


def test_an_unknown_task_is_named(conditional: ganops.Model) -> None:
    with pytest.raises(GanopsError) as error:
        conditional.generate(task="AtoB")
    assert code_of(error) == "unknown-task"


def test_images_are_given_as_pictures_files_or_tensors(translation: ganops.Model, tmp_path: Path) -> None:
    stored = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8)
    picture = Image.fromarray(stored[0].numpy())
    picture.save(tmp_path / "source.png")
    found = [
        translation.generate(n=3, image=value).rows["image"]
        for value in (picture, tmp_path / "source.png", str(tmp_path / "source.png"), stored, [picture] * 3)
    ]
    assert all(torch.equal(found[0], other) for other in found[1:])
    assert translation.generate(n=3, image=stored).inputs is not None
    for wrong in ("nowhere.png", tmp_path / "nowhere.png", 3):
        with pytest.raises(DataError) as error:
            translation.generate(n=3, image=wrong)
        assert code_of(error) == "bad-value"


def test_other_inputs_come_from_the_prepared_test_split(translation: ganops.Model) -> None:
    with pytest.raises(DataError) as error:
        translation.generate(n=3)
    assert code_of(error) == "inputs-missing"
    images = prepare()
    inputs = translation.generate(n=3).inputs
    assert inputs is not None
    assert all(any(torch.equal(image, known) for known in images) for image in inputs["image"])


def test_vectors_come_as_numbers(tmp_path: Path) -> None:
    generated = save("mlp", points_spec(), tmp_path / "model").generate(n=4, seed=1)
    assert [len(record["vector"]) for record in generated.records()] == [2] * 4
    assert len(generated.pictures()) == 4


def test_recipes_are_a_mapping_by_name(tmp_path: Path) -> None:
    assert set(ganops.recipes(RECIPES)) == {path.stem for path in RECIPES.glob("*.yaml")}
    with pytest.raises(SettingsError) as error:
        ganops.recipes(tmp_path)
    assert code_of(error) == "no-recipes"
