"""Precision, recall, density, coverage: point sets worked out by hand, torch-fidelity's numbers, bounded memory."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_prc import calculate_precision_recall_full

from ganops.errors import EvaluationError
from ganops.evaluation import products
from ganops.evaluation.all_pairs import compare
from ganops.evaluation.manifolds import Manifolds, Radii
from ganops.evaluation.products import centred, sweep


def manifolds(generated: Tensor, real: Tensor, k: int) -> Manifolds:
    found = compare(generated, real, 0, None, k).manifolds
    assert found is not None
    return found


def means(found: Manifolds) -> list[float]:
    return [float(part.mean()) for part in (found.precise, found.recalled, found.dense, found.covered)]


def line(*places: float) -> Tensor:
    return torch.tensor(places, dtype=torch.float32).unsqueeze(1)


def test_by_hand() -> None:
    """k = 1 on a line. Real 0, 1, 3: kth_distances 1, 1, 2, so the balls are [-1, 1], [0, 2], [1, 5].

    Generated 0.5, 1.5, 9: kth_distances 1, 1, 7.5, balls [-0.5, 1.5], [0.5, 2.5], [1.5, 16.5].
    0.5 lies in two real balls, 1.5 in two, 9 in none: precision 2/3, density 4/3.
    0 lies in one generated ball, 1 in two, 3 in one: recall 1. Every real ball holds a generated point: coverage 1.
    """
    assert means(manifolds(line(0.5, 1.5, 9), line(0, 1, 3), k=1)) == pytest.approx([2 / 3, 1, 4 / 3, 1])


def test_swapped_arguments_are_noticed() -> None:
    """Swapped: 0 lies in one ball, 1 in two, 3 in one: density 4/3, precision 1; recall is the former precision.

    The ball of 9 reaches from 1.5 to 16.5 and holds 3: coverage 1.
    """
    assert means(manifolds(line(0, 1, 3), line(0.5, 1.5, 9), k=1)) == pytest.approx([1, 2 / 3, 4 / 3, 1])


def test_nothing_in_common() -> None:
    assert means(manifolds(line(0, 1, 2), line(100, 101, 102), k=1)) == [0, 0, 0, 0]


def test_copies_have_all() -> None:
    """Equally spaced points and their copies: every ball of radius 1 holds 2 or 3 of them."""
    points = line(*range(6))
    assert means(manifolds(points, points, k=1)) == pytest.approx([1, 1, 16 / 6, 1])


def clouds(dim: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(300, dim, generator=generator) * 0.8 + 0.2, torch.randn(250, dim, generator=generator) + 5


def test_equals_torch_fidelity() -> None:
    generated, real = clouds()
    generated = generated + 5
    found = manifolds(generated, real, k=3)
    precision, recall = calculate_precision_recall_full(generated, real, neighborhood=3)
    assert 0.1 < precision < 1
    assert 0.1 < recall < 1
    assert [float(found.precise.mean()), float(found.recalled.mean())] == pytest.approx([precision, recall], rel=1e-3)


def test_equals_the_definition_of_density_and_coverage() -> None:
    """Naeem et al. 2020, equations 4 and 5, as written there."""
    generated, real = clouds()
    generated, k = generated + 5, 5
    distances, own = torch.cdist(real, generated), torch.cdist(real, real)
    kth_distances = own.kthvalue(k + 1, dim=1).values.unsqueeze(1)
    found = manifolds(generated, real, k)
    assert float(found.dense.mean()) == pytest.approx(
        float((distances < kth_distances).sum() / (k * len(generated))), rel=1e-5
    )
    expected = float((distances.amin(1, keepdim=True) < kth_distances).float().mean())
    assert float(found.covered.mean()) == pytest.approx(expected, rel=1e-5)


def test_size_of_blocks_and_order_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    generated, real = clouds()
    generated = generated + 5
    whole = means(manifolds(generated, real, k=5))
    assert means(manifolds(generated.flip(0), real.flip(0), k=5)) == pytest.approx(whole, abs=1e-5)
    monkeypatch.setattr(products, "ROWS", 7)
    assert means(manifolds(generated, real, k=5)) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("at_once", [1, 2, 3, 10])
def test_radii_leave_the_image_itself_out(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(products, "ROWS", at_once)
    (side,) = centred(line(0, 1, 3, 7))
    for k, expected in ((1, [1, 1, 2, 4]), (2, [3, 2, 3, 6])):
        radii = Radii(side, k)
        sweep(side, side, [radii])
        assert radii.squares.sqrt().tolist() == pytest.approx(expected)


def test_too_few_images_and_other_features_are_refused() -> None:
    for generated, real, code in (
        (torch.rand(5, 3), torch.rand(9, 3), "too-few-images"),
        (torch.rand(9, 3), torch.rand(5, 3), "too-few-images"),
        (torch.rand(9, 3), torch.rand(9, 4), "features-differ"),
    ):
        with pytest.raises(EvaluationError) as caught:
            manifolds(generated, real, k=5)
        assert caught.value.code == code
