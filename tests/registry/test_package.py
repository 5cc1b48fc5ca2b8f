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

import numpy as np
import pandas as pd
import pytest
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image
from small_model import SPEC, register_small, small_params

from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.games.sampling import sample_images
from ganops.games.saved import SavedModel, load_game, save_game
from ganops.recipe import load_recipe
from ganops.registry.load import load_registered_game, registered_folder
from ganops.registry.package import REQUIREMENTS, log_package
from ganops.tracking.run import start_run
from ganops.tracking.store import connect

ROOT = Path(__file__).resolve().parents[2]


def pixels(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


@pytest.fixture
def package(tracking_home: Path) -> Path:
    """The files of a registered model."""
    import mlflow

    register_small(tracking_home)
    connect()
    return Path(mlflow.artifacts.download_artifacts(artifact_uri="models:/ganops@challenger"))


def test_it_holds_weights_card_and_source_and_no_pickle(package: Path) -> None:
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert {"served_model.py", "artifacts/card/README.md", "code/ganops/games/saved.py"} <= files
    assert any(name.endswith("generator.safetensors") for name in files)
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".pt", ".pth", ".bin", ".pyc"))]


def test_in_a_fresh_process_it_runs_the_source_it_carries_and_needs_only_what_it_states(package: Path) -> None:
    """What ganops itself becomes, or whether it is there at all, must not matter to an old version."""
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
        "print(json.dumps([ganops.__file__, list(answer['png'])]))"
    )
    stated = _with_dependencies(REQUIREMENTS)
    absent = [
        name
        for name, packages in packages_distributions().items()
        if name != "ganops" and not stated & {canonicalize_name(package) for package in packages}
    ]
    assert {"prefect", "dvc", "torchvision"} <= set(absent), "these are here, and must not be needed"
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
    game = load_registered_game("models:/ganops@challenger")
    expected = torch.cat(list(sample_images(game, 2, seed=5)))[:, 0].numpy()
    np.testing.assert_array_equal(np.stack([pixels(png) for png in pngs]), expected)


def test_rows_ask_for_images_and_the_seed_decides_them(package: Path) -> None:
    import mlflow

    model = mlflow.pyfunc.load_model(str(package))
    answer = model.predict(pd.DataFrame({"n": [2, 1]}), params={"seed": 3})
    assert list(answer.columns) == ["png", "label", "image_size"]
    assert list(answer["image_size"]) == [8, 8, 8]
    assert {pixels(png).shape for png in answer["png"]} == {(8, 8)}
    assert pixels(answer["png"][0]).dtype == np.uint8
    assert list(model.predict({"n": [3]}, params={"seed": 3})["png"]) == list(answer["png"])
    assert list(model.predict({"n": [3]}, params={"seed": 4})["png"]) != list(answer["png"])
    for wrong, words in (
        (pd.DataFrame({"n": [0]}), "at least 1"),
        (pd.DataFrame({"n": [10_001]}), "1 to 10000 images"),
        (pd.DataFrame({"n": [1], "label": ["zero"]}), "makes no classes"),
        (pd.DataFrame({"count": [1]}), "missing inputs"),
    ):
        with pytest.raises(mlflow.exceptions.MlflowException, match=words):
            model.predict(wrong)
    with pytest.raises(mlflow.exceptions.MlflowException, match="seed"):
        model.predict({"n": [1]}, params={"seed": -1})


def test_a_model_of_classes_makes_the_class_that_is_asked_for(tmp_path: Path) -> None:
    from ganops.registry.served_model import ServedGenerator

    class Context:
        artifacts = {"model": str(_save_conditional(tmp_path))}  # noqa: RUF012, as MLflow hands it over
        model_config = None

    served = ServedGenerator()
    served.load_context(Context())
    answer = served.predict(pd.DataFrame({"n": [2, 3], "label": ["one", None]}))
    assert list(answer["label"]) == ["one", "one", "zero", "one", "zero"]
    game = load_game(tmp_path)
    expected = torch.cat(list(sample_images(game, 5, 0, labels=torch.tensor([1, 1, 0, 1, 0]))))[:, 0].numpy()
    np.testing.assert_array_equal(np.stack([pixels(png) for png in answer["png"]]), expected)
    with pytest.raises(Exception, match="there is no class 'three'; there are: zero, one"):
        served.predict(pd.DataFrame({"n": [1], "label": ["three"]}))


def test_a_model_of_points_answers_with_numbers_and_passes_the_smoke_test(tracking_home: Path, tmp_path: Path) -> None:
    import mlflow

    from ganops.registry.smoke_check import complaint

    torch.manual_seed(0)
    recipe, spec = load_recipe(ROOT / "pipeline" / "recipes" / "points.yaml"), DataSpec(shape=(2, 1, 1))
    save_game(tmp_path / "model", build_game(recipe, spec), SavedModel(name="points", recipe=recipe, spec=spec))
    (tmp_path / "card").mkdir()
    with start_run("points", params=small_params(), system_metrics=False) as run:
        uri = log_package(run.store, run.run_id, tmp_path / "model", tmp_path / "card")
    assert complaint(uri) == ""
    answer = mlflow.pyfunc.load_model(uri).predict({"n": [3]}, params={"seed": 5})
    assert list(answer.columns) == ["values", "label"]
    expected = torch.cat(list(sample_images(load_game(tmp_path / "model"), 3, seed=5))).flatten(1).numpy()
    np.testing.assert_array_equal(np.array(answer["values"].tolist(), np.float32), expected)


def test_a_model_of_another_maker_is_a_clear_error(tracking_home: Path, tmp_path: Path) -> None:
    import mlflow

    from ganops.errors import RegistryError

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
    with pytest.raises(RegistryError, match="was not made by ganops"):
        registered_folder(f"models:/other/{version}")
    with pytest.raises(RegistryError, match="cannot be loaded"):
        registered_folder("models:/other@champion")


def _save_conditional(folder: Path) -> Path:
    torch.manual_seed(0)
    recipe = load_recipe(ROOT / "pipeline" / "recipes" / "cgan.yaml")
    save_game(folder, build_game(recipe, SPEC), SavedModel(name="cgan", recipe=recipe, spec=SPEC))
    return folder


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
