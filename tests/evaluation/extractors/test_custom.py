"""A person's own extractor: from a TorchScript file or from an importable module."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from ganops.errors import EvaluationError
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.custom import Custom
from ganops.params import EvaluateParams

IMAGES = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

MODULE = """
import torch
from torch import nn

class Rows(nn.Module):
    def forward(self, images):
        means = images.float().mean(dim=(1, 3))
        return means, means[:, :3]

def without_logits():
    return nn.Flatten()

def broken():
    return nn.Identity()

def no_module():
    return "features"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a module of one's own in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_features.py").write_text(MODULE)
    return tmp_path


def test_a_callable(home: Path) -> None:
    found = load_extractor(EvaluateParams(features="custom", custom="my_features:Rows"))(IMAGES)
    torch.testing.assert_close(found.features, IMAGES.float().mean(dim=3)[:, 0])
    assert found.logits.shape == (6, 3)


def test_without_logits(home: Path) -> None:
    found = Custom("my_features:without_logits")(IMAGES)
    assert found.features.shape == (6, 3 * 64)
    assert found.logits.shape == (6, 0)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_torchscript_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5))

    class FromBytes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.network(images.float())

    path = tmp_path / "mine.pt"
    torch.jit.trace(FromBytes(), torch.zeros(2, 3, 8, 8)).save(str(path))
    extractor = Custom(str(path))
    expected = network(IMAGES.float().expand(-1, 3, -1, -1))
    torch.testing.assert_close(extractor(IMAGES).features, expected, rtol=1e-5, atol=1e-4)
    assert len(extractor.weights_digest) == 64


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("nowhere.pt", "unknown-extractor"),
        ("my_features:Columns", "not-importable"),
        ("not_there:Rows", "not-importable"),
        ("my_features:no_module", "not-a-module"),
        ("my_features.py", "not-torchscript"),
    ],
)
def test_what_cannot_be_loaded(home: Path, where: str, code: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        Custom(where)
    assert caught.value.code == code


def test_features_of_the_wrong_form(home: Path) -> None:
    with pytest.raises(EvaluationError) as caught:
        Custom("my_features:broken")(IMAGES)
    assert caught.value.code == "wrong-features"


def test_different_callables_have_different_digests(home: Path) -> None:
    assert Custom("my_features:Rows").weights_digest != Custom("my_features:without_logits").weights_digest
