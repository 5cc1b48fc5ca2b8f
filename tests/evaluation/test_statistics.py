"""Mean and covariance are right however the rows come in, and their files are pytorch-fid's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_fid.fid_score import compute_statistics_of_path

from ganops.errors import EvaluationError
from ganops.evaluation.statistics import BLOCK, StatisticsGatherer, read_npz, statistics_of, write_npz


def rows(count: int = 5000, dim: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(dim, dim, generator=generator)
    return torch.randn(count, dim, generator=generator) @ mixing + torch.arange(dim)


@pytest.mark.parametrize("dim", [6, 2 * BLOCK + 3])
def test_equals_numpy(dim: int) -> None:
    features = rows(dim=dim)
    found = statistics_of([features])
    # Both compute in float64; the order of additions differs.
    np.testing.assert_allclose(found.mean.numpy(), features.double().numpy().mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance.numpy(), np.cov(features.double().numpy(), rowvar=False), rtol=1e-10)
    assert found.count == len(features)


@pytest.mark.parametrize("batch_size", [1, 7, 2048, 4999, 5000])
def test_batch_size_and_order_do_not_matter(batch_size: int) -> None:
    features = rows()
    whole = statistics_of([features])
    shuffled = features[torch.randperm(len(features), generator=torch.Generator().manual_seed(1))]
    parts = statistics_of(torch.split(shuffled, batch_size))
    torch.testing.assert_close(parts.mean, whole.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(parts.covariance, whole.covariance, rtol=1e-10, atol=1e-10)


def test_a_large_mean_costs_no_digits() -> None:
    """The textbook sum of squares would leave nothing of a spread of 1 around 1e7."""
    features = rows(4096).double()
    near, far = statistics_of([features]), statistics_of(torch.split(features + 1e7, 100))
    # float64 keeps 16 digits: 1e7 takes 7 of them, squares of the spread keep some 8.
    torch.testing.assert_close(far.covariance, near.covariance, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "features", [torch.full((3, 2), torch.nan), torch.tensor([[1.0, torch.inf]]), torch.zeros(3), torch.zeros(2, 3, 4)]
)
def test_bad_features_are_refused(features: torch.Tensor) -> None:
    with pytest.raises(EvaluationError) as caught:
        StatisticsGatherer().add(features)
    assert caught.value.code in ("wrong-features", "features-not-finite")


def test_features_of_another_number_are_refused() -> None:
    for before in (10, 2048):  # still waiting to be merged, and merged
        gatherer = StatisticsGatherer()
        gatherer.add(torch.zeros(before, 3))
        with pytest.raises(EvaluationError) as caught:
            gatherer.add(torch.zeros(10, 4))
        assert caught.value.code == "wrong-features"


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_rows_are_refused(count: int) -> None:
    with pytest.raises(EvaluationError) as caught:
        statistics_of([torch.zeros(count, 3)])
    assert caught.value.code == "too-few-images"


def test_pytorch_fid_reads_what_is_written(tmp_path: Path) -> None:
    found = statistics_of([rows()])
    write_npz(tmp_path / "real.npz", found)
    mu, sigma = compute_statistics_of_path(str(tmp_path / "real.npz"), None, 50, 6, "cpu")
    np.testing.assert_array_equal(mu, found.mean.numpy())
    np.testing.assert_array_equal(sigma, found.covariance.numpy())
    again = read_npz(tmp_path / "real.npz")
    assert torch.equal(again.covariance, found.covariance)
    assert again.count == found.count


def test_what_pytorch_fid_writes_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "theirs.npz", mu=np.arange(3.0), sigma=np.eye(3))
    found = read_npz(tmp_path / "theirs.npz")
    assert found.mean.tolist() == [0, 1, 2]
    assert torch.equal(found.covariance, torch.eye(3, dtype=torch.float64))
    assert found.count == 0  # their files do not say it


def damaged_files(folder: Path) -> dict[str, Path]:
    def save(name: str, **arrays: np.ndarray) -> Path:
        np.savez(folder / name, **arrays)
        return folder / f"{name}.npz"

    torn = save("torn", mu=np.zeros(3), sigma=np.eye(3))
    torn.write_bytes(torn.read_bytes()[:200])
    text = folder / "text.npz"
    text.write_text("no archive")
    return {
        "torn": torn,
        "text": text,
        "missing": folder / "nowhere.npz",
        "key": save("key", mu=np.zeros(3)),
        "pickle": save("pickle", mu=np.array([{"run": "me"}], dtype=object), sigma=np.eye(1)),
        "shape": save("shape", mu=np.zeros(3), sigma=np.eye(4)),
        "nan": save("nan", mu=np.full(2, np.nan), sigma=np.eye(2)),
    }


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    for kind, path in damaged_files(tmp_path).items():
        with pytest.raises(EvaluationError) as caught:
            read_npz(path)
        assert path.name in str(caught.value), kind
