"""A packaged model: no pickle, complete in itself, and an answer to every request, right or wrong."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image
from small_model import SPEC, register_small, small_params

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import RegistryError
from ganops.games.build import build_game, recipe_spec
from ganops.games.sampling import HeldOut, draw_inputs, sample_outputs
from ganops.games.saved import SavedModel, load_game, save_game
from ganops.recipe import load_recipe
from ganops.registry.load import registered, registered_folder
from ganops.registry.package import REQUIREMENTS, log_package
from ganops.registry.served_model import ServedGenerator
from ganops.registry.smoke_check import complaint
from ganops.tracking.run import start_run
from ganops.tracking.store import connect

ROOT = Path(__file__).resolve().parents[2]


def pixels(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


@pytest.fixture
def package(tracking_home: Path) -> Path:
    """The files of a registered model."""
    register_small(tracking_home)
    return registered("models:/ganops@challenger").package


def test_it_holds_weights_card_and_source_and_no_pickle(package: Path) -> None:
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert {"served_model.py", "artifacts/card/README.md", "code/ganops/games/saved.py"} <= files
    assert any(name.endswith("generator.safetensors") for name in files)
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".pt", ".pth", ".bin", ".pyc"))]


def test_in_a_fresh_process_it_runs_the_source_it_carries_and_needs_only_what_it_states(package: Path) -> None:
    """Changes of ganops, or its absence, must not matter to an old version."""
    program = (
        "import sys, json\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in absent: raise ModuleNotFoundError(name, name=name)\n"
        "path, absent = sys.argv[1], set(json.loads(sys.argv[2]))\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import mlflow, pandas as pd\n"
        "answer = mlflow.pyfunc.load_model(path).predict(pd.DataFrame({'n': [2]}), params={'seed': 5})\n"
        "import ganops\n"
        "print(json.dumps([ganops.__file__, list(answer['image'])]))"
    )
    stated = _with_dependencies(REQUIREMENTS)
    absent = [
        name
        for name, packages in packages_distributions().items()
        if name != "ganops" and not stated & {canonicalize_name(package) for package in packages}
    ]
    assert {"prefect", "dvc", "torchvision"} <= set(absent), "these are installed, and must not be needed"
    environment = {"PATH": "/usr/bin:/bin", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(package), json.dumps(absent)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    source, pngs = json.loads(done.stdout.splitlines()[-1])
    assert Path(source).is_relative_to(package / "code")
    expected = sample_outputs(load_game(registered_folder("models:/ganops@challenger")), 2, seed=5)["image"]
    np.testing.assert_array_equal(np.stack([pixels(png) for png in pngs]), expected[:, 0].numpy())


def test_rows_ask_for_images_and_the_seed_decides_them(package: Path) -> None:
    import mlflow

    model = mlflow.pyfunc.load_model(str(package))
    answer = model.predict(pd.DataFrame({"n": [2, 1]}), params={"seed": 3})
    assert list(answer.columns) == ["image", "model"]
    assert list(answer["model"]) == ["ganops/1"] * 3
    assert {(pixels(png).shape, pixels(png).dtype) for png in answer["image"]} == {((8, 8), np.dtype(np.uint8))}
    assert list(model.predict({"n": [3]}, params={"seed": 3})["image"]) == list(answer["image"])
    assert list(model.predict({"n": [3]}, params={"seed": 4})["image"]) != list(answer["image"])


def test_n_is_a_whole_number(package: Path) -> None:
    import mlflow

    model = mlflow.pyfunc.load_model(str(package))
    for n in (0, -1, 1.5, True, "3", None, 10_001, [2], float("nan")):
        with pytest.raises(mlflow.exceptions.MlflowException) as error:
            model.predict(pd.DataFrame({"n": [n]}))
        assert error.value.error_code == "INVALID_PARAMETER_VALUE", n


def test_params_are_checked_and_unknown_ones_are_refused(package: Path) -> None:
    import mlflow

    model = mlflow.pyfunc.load_model(str(package))
    for params in (
        {"sead": 1},
        {"seed": 1, "label": "x"},
        {"seed": -1},
        {"seed": 1.5},
        {"seed": True},
        {"seed": 2**31},
    ):
        with pytest.raises(mlflow.exceptions.MlflowException) as error:
            model.predict({"n": [1]}, params=params)
        assert error.value.error_code == "INVALID_PARAMETER_VALUE", params
    with pytest.raises(mlflow.exceptions.MlflowException):
        model.predict(pd.DataFrame({"count": [1]}))
    for more in ({"lable": 3}, {"model": "x"}):
        with pytest.raises(mlflow.exceptions.MlflowException) as error:
            model.predict(pd.DataFrame([{"n": 1} | more]))
        assert error.value.error_code == "INVALID_PARAMETER_VALUE", more


def served(folder: Path) -> ServedGenerator:
    class Context:
        artifacts = {"model": str(folder)}  # noqa: RUF012, as MLflow does
        model_config = None

    model = ServedGenerator()
    model.load_context(Context())
    return model


def refusal(model: ServedGenerator, request: dict[str, list[Any]]) -> str:
    import mlflow

    with pytest.raises(mlflow.exceptions.MlflowException) as error:
        model.predict(pd.DataFrame(request))
    return str(error.value)


def save(name: str, spec: DataSpec, folder: Path) -> Path:
    """A model of a shipped recipe, untrained."""
    torch.manual_seed(0)
    recipe = load_recipe(ROOT / "pipeline" / "recipes" / f"{name}.yaml")
    spec = recipe_spec(recipe, spec)
    save_game(folder, build_game(recipe, spec), SavedModel(name=name, recipe=recipe, spec=spec))
    return folder


def test_a_model_of_classes_makes_the_class_that_is_asked_for(tmp_path: Path) -> None:
    spec = DataSpec(fields={"image": SPEC.fields["image"], "label": CategoryField(classes=("zero", "one"))})
    model = served(save("cgan", spec, tmp_path))
    answer = model.predict(pd.DataFrame({"n": [2, 3], "label": ["one", None]}))
    labels = list(answer["label"])
    assert labels[:2] == ["one", "one"]
    assert set(labels[2:]) == {"zero", "one"}, "by their shares"
    single = model.predict(pd.DataFrame({"n": [1] * 4}))["label"]
    assert sorted(single) == ["one", "one", "zero", "zero"], "over all rows that have none"
    assert list(answer["model"]) == [None] * 5, "not registered"
    given = {"label": torch.tensor([int(label == "one") for label in labels])}
    expected = sample_outputs(load_game(tmp_path), 5, 0, given=given)["image"]
    np.testing.assert_array_equal(np.stack([pixels(png) for png in answer["image"]]), expected[:, 0].numpy())
    assert "'three'" in refusal(model, {"n": [1], "label": ["three"]})
    assert "'label'" in refusal(model, {"n": [1], "label": [1]})


def log(model: Path, home: Path, inputs: Rows | None = None) -> str:
    (home / "card").mkdir()
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        return log_package(run.store, run.run_id, model, home / "card", inputs)


def folder_of(uri: str) -> str:
    import mlflow

    return str(mlflow.artifacts.download_artifacts(artifact_uri=uri))


def test_a_model_of_vectors_answers_with_numbers_and_passes_the_smoke_test(tracking_home: Path, tmp_path: Path) -> None:
    import mlflow

    model = save("points", DataSpec(fields={"vector": VectorField(size=2)}), tmp_path / "model")
    uri = log(model, tmp_path)
    assert complaint(folder_of(uri)) == ""
    answer = mlflow.pyfunc.load_model(uri).predict({"n": [3]}, params={"seed": 5})
    assert list(answer.columns) == ["vector", "model"]
    expected = sample_outputs(load_game(model), 3, seed=5)["vector"].numpy()
    np.testing.assert_array_equal(np.array(answer["vector"].tolist(), np.float32), expected)


def test_a_paired_model_takes_its_source_from_the_caller(tracking_home: Path, tmp_path: Path) -> None:
    import mlflow

    data = DataSpec(fields={"image": ImageField(channels=1, size=16)})
    model = save("denoise", data, tmp_path / "model")
    game = load_game(model)
    ((name, field),) = game.task.inputs.items()
    rows = Rows({"image": torch.randint(0, 256, (9, 1, 16, 16), dtype=torch.uint8)})
    recipe = load_recipe(ROOT / "pipeline" / "recipes" / "denoise.yaml")
    inputs = next(draw_inputs(game.task, 8, 0, held_out=HeldOut(rows, recipe_spec(recipe, data)))).inputs
    uri = log(model, tmp_path, inputs)
    assert complaint(folder_of(uri)) == ""
    loaded = mlflow.pyfunc.load_model(uri)
    sources = field.encode(inputs[name][:2])
    answer = loaded.predict(pd.DataFrame({"n": [1, 2], name: sources}), params={"seed": 5})
    given = {name: inputs[name][[0, 1, 1]]}
    expected = sample_outputs(game, 3, 5, given=given)["image"]
    np.testing.assert_array_equal(np.stack([pixels(png) for png in answer["image"]]), expected[:, 0].numpy())
    for wrong in ({"n": [1]}, {"n": [1], name: ["no image"]}, {"n": [1], name: [""]}):
        with pytest.raises(mlflow.exceptions.MlflowException):
            loaded.predict(pd.DataFrame(wrong))


def test_a_model_of_another_maker_is_a_clear_error(tracking_home: Path, tmp_path: Path) -> None:
    import mlflow

    code = tmp_path / "other.py"
    code.write_text(
        "import mlflow\n"
        "class Other(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, model_input): return model_input\n"
        "mlflow.models.set_model(Other())\n"
    )
    connect()
    mlflow.pyfunc.save_model(tmp_path / "other", python_model=str(code), pip_requirements=["mlflow"])
    version = mlflow.register_model((tmp_path / "other").as_uri(), "other").version
    codes = []
    for uri in (f"models:/other/{version}", "models:/other@champion"):
        with pytest.raises(RegistryError) as error:
            registered_folder(uri)
        codes.append(error.value.code)
    assert codes == ["foreign-model", "no-such-version"]


def _with_dependencies(names: Iterable[str]) -> set[str]:
    """These packages and all that they depend on here, without extras."""
    found: set[str] = set()
    todo = [canonicalize_name(name) for name in names]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        try:
            wanted = map(Requirement, requires(name) or [])
        except PackageNotFoundError:  # for another platform
            continue
        todo += [
            canonicalize_name(each.name) for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})
        ]
    return found
