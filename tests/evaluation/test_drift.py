"""Drift: found where pictures differ, rarely where they do not, and only of enough windows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganops.data.prepare import prepare
from ganops.errors import EvaluationError
from ganops.evaluation.drift import Drift, Window, look_for_drift, permutation_test
from ganops.evaluation.kernel_distance import mmd2
from ganops.evaluation.reference import make_reference
from ganops.params import ClassifierParams, DataParams, EvaluateParams, Params, WatchParams
from ganops.workspace import Workspace


def drawn(seed: int, count: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed)) + shift


def test_the_statistic_is_that_of_kid() -> None:
    x, y = drawn(0, 40), drawn(1, 60, 0.3)
    found, _ = permutation_test(x, y, 9, torch.Generator())
    assert found == pytest.approx(mmd2(x, y).value, rel=1e-4)


def test_p_values_are_uniform_without_drift_and_least_with_it() -> None:
    """Exact under the null: of 100 equal pairs, 10 are expected below 0.1; 20 or more happen once in 500 times."""
    low = sum(permutation_test(drawn(i, 20), drawn(1000 + i, 30), 99, torch.Generator())[1] <= 0.1 for i in range(100))
    assert 2 <= low < 20
    assert permutation_test(drawn(0, 20, 1.0), drawn(1, 30), 99, torch.Generator())[1] == 0.01


def test_so_many_windows_make_drift() -> None:
    windows = tuple(Window("a", "b", 0.0, 0.5, drifted) for drifted in (True, False, True))
    assert Drift(windows, needed=2).drifted
    assert not Drift(windows, needed=3).drifted
    assert "2 of the 3 newest windows" in Drift(windows, needed=3).describe()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Params]:
    """Digits, prepared, with a reference in the features of a small classifier."""
    workspace = Workspace(tmp_path_factory.mktemp("drift"))
    evaluate = EvaluateParams(
        features="classifier", classifier=ClassifierParams(max_kimg=1, width=8), metrics={"fid": {}}
    )
    watch = WatchParams(window=20, windows=3, drifted=2)
    params = Params(
        seed=7,
        recipes=("tiny",),
        data=DataParams(source="digits", image_size=8, channels=1),
        evaluate=evaluate,
        watch=watch,
    )
    prepare(params.data, workspace.prepared, processes=1)
    make_reference(workspace.prepared, evaluate, workspace.reference, 7)
    return workspace, params


def write_pictures(folder: Path, workspace: Workspace, count: int, dark: range = range(0)) -> Path:
    """Held-out digits as files, one second apart; those in `dark` at a third of their brightness."""
    from ganops.data.packed import read_packed

    folder.mkdir()
    for index, image in enumerate(read_packed(workspace.prepared, "test")["image"][-count:]):
        file = folder / f"{(index * 7) % count:03}.png"  # the order of names is not that of the times
        Image.fromarray((image[0] // 3 if index in dark else image[0]).numpy()).save(file)
        os.utime(file, (1e9 + index, 1e9 + index))
    return folder


def test_pictures_of_the_same_kind_have_not_drifted(trained: tuple[Workspace, Params], tmp_path: Path) -> None:
    workspace, params = trained
    found = look_for_drift(params, workspace, write_pictures(tmp_path / "new", workspace, 60))
    assert len(found.windows) == 3
    assert not found.drifted


def test_the_newest_windows_that_became_darker_have_drifted(trained: tuple[Workspace, Params], tmp_path: Path) -> None:
    workspace, params = trained
    folder = write_pictures(tmp_path / "new", workspace, 90, dark=range(50, 90))
    (folder / "notes.png").write_text("not a picture")
    os.utime(folder / "notes.png", (1, 1))
    strictest = params.model_copy(update={"watch": params.watch.model_copy(update={"level": 0.001})})
    found = look_for_drift(strictest, workspace, folder)
    assert [window.drifted for window in found.windows] == [False, True, True]
    assert found.drifted
    assert found.windows[-1].p == 0.001, "the least that 999 exchanges can give"


def test_too_few_pictures_say_so(trained: tuple[Workspace, Params], tmp_path: Path) -> None:
    workspace, params = trained
    with pytest.raises(EvaluationError) as error:
        look_for_drift(params, workspace, write_pictures(tmp_path / "new", workspace, 19))
    assert (error.value.code, error.value.found) == ("too-few-images", "19 that can be read")
    with pytest.raises(EvaluationError) as error:
        look_for_drift(params, workspace)
    assert error.value.code == "path-missing"
