"""Inception-v3 is pytorch-fid's network: same weights, same features, same FID from its own command line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from inception_weights import random_state, save_random_weights
from PIL import Image
from pytorch_fid import fid_score
from pytorch_fid.fid_score import calculate_frechet_distance
from pytorch_fid.inception import InceptionV3 as TheirInception
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganops.errors import EvaluationError, ModelError
from ganops.evaluation.extractors.inception import FILE_NAME, InceptionV3, load_inception
from ganops.evaluation.folder import folder_statistics
from ganops.evaluation.frechet import frechet_distance

Array = np.ndarray
COUNT = 4  # images in each of two folders
IMAGES = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as torch keeps its downloads in, with random weights under the published file's name."""
    home = tmp_path_factory.mktemp("torch")
    save_random_weights(home / "hub" / "checkpoints" / FILE_NAME)
    return home


@pytest.fixture
def cached(hub: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, where this process looks for it."""
    monkeypatch.setenv("TORCH_HOME", str(hub))
    return hub / "hub" / "checkpoints" / FILE_NAME


@pytest.mark.slow
def test_same_features_as_pytorch_fid(cached: Path) -> None:
    theirs = TheirInception([TheirInception.BLOCK_INDEX_BY_DIM[2048]]).eval()
    with torch.no_grad():
        expected = theirs(IMAGES.float() / 255)[0][:, :, 0, 0]
    found = InceptionV3(torch.load(cached, weights_only=True))(IMAGES)
    assert found.features.shape == (3, 2048)
    assert expected.std() > 0.01
    # Folded normalisation and another memory layout add up in another order through 94 layers.
    torch.testing.assert_close(found.features, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.slow
def test_same_logits_as_torch_fidelity(cached: Path) -> None:
    """The first inception score left the bias out. At 299 x 299 neither library resizes."""
    images = torch.randint(0, 256, (2, 3, 299, 299), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    theirs = FeatureExtractorInceptionV3("theirs", ["logits_unbiased"], feature_extractor_weights_path=str(cached))
    with torch.no_grad():
        (expected,) = theirs(images)
    found = InceptionV3(torch.load(cached, weights_only=True), resize="clean-fid")(images).logits
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def within_their_span(one: Array, cov: Array, other: Array, cov_of_other: Array) -> float:
    """pytorch-fid's distance of two Gaussians, in a basis of the few directions that either varies in.

    The same number: the basis is orthonormal, and holds all of both. The root of 2,048 x 2,048 numbers takes half a
    minute.
    """
    draws = np.random.default_rng(0).standard_normal((len(one), 2 * COUNT))
    basis, _ = np.linalg.qr(np.column_stack([cov @ draws, cov_of_other @ draws, one - other]))
    here = [basis.T @ one, basis.T @ cov @ basis, basis.T @ other, basis.T @ cov_of_other @ basis]
    return calculate_frechet_distance(*here)


@pytest.mark.slow
def test_same_fid_as_pytorch_fids_command_line(
    cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """But for the basis that its covariances are in."""
    monkeypatch.setattr(fid_score, "calculate_frechet_distance", within_their_span)
    generator = np.random.default_rng(0)
    for name, brightness in (("one", 256), ("other", 160)):
        folder = tmp_path / name
        folder.mkdir()
        for index in range(COUNT):
            pixels = generator.integers(0, brightness, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{index:02}.png")
    folders = [str(tmp_path / name) for name in ("one", "other")]
    monkeypatch.setattr(sys, "argv", ["pytorch_fid", *folders, "--device", "cpu", "--num-workers", "0"])
    fid_score.main()
    expected = float(capsys.readouterr().out.split("FID:")[1])
    extractor = InceptionV3(torch.load(cached, weights_only=True))
    one, other = (folder_statistics(tmp_path / name, extractor, batch_size=5) for name in ("one", "other"))
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-3)


def test_a_file_with_another_digest_is_refused(cached: Path) -> None:
    """Random weights in the place of the published ones: found, and not believed."""
    for weights in (None, cached):
        with pytest.raises(ModelError) as caught:
            load_inception(weights)
        assert caught.value.code == "wrong-digest"


def test_without_the_file_the_error_names_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # no network, whatever this machine has
    with pytest.raises(EvaluationError) as caught:
        load_inception(None)
    assert "evaluate.weights" in str(caught.value)
    assert str(tmp_path / "hub" / "checkpoints" / FILE_NAME) in str(caught.value)


def test_weights_of_another_network_are_refused() -> None:
    state = random_state()
    state.pop("fc.weight")
    with pytest.raises(EvaluationError) as caught:
        InceptionV3(state)
    assert caught.value.code == "wrong-weights"
