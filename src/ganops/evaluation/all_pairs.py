"""What is compared image by image, generated with real: one pass over all pairs, for KID and the manifolds together."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganops.evaluation.context import EvalContext
from ganops.evaluation.kernel_distance import KernelDistance, KIDSettings, Subsets
from ganops.evaluation.manifolds import Manifolds, Neighbourhoods, PRDCSettings, Radii
from ganops.evaluation.products import centred, sweep

MANIFOLDS = {"prdc", "by-class"}  # the groups that look at neighbourhoods


@dataclass(frozen=True)
class AllPairs:
    """distance, manifolds: None where no group asks for it."""

    distance: KernelDistance | None
    manifolds: Manifolds | None


def compare(
    generated: Tensor, real: Tensor, seed: int, subsets: tuple[int, int] | None, neighbours: int | None
) -> AllPairs:
    """Compare generated (n, d) with real (m, d) features.

    subsets: how many and of how many images each, for KID, drawn by `seed`. neighbours: k, for the manifolds.
    """
    others, made = centred(real, generated)
    kernels = list[Subsets]() if subsets is None else [Subsets(made, others, *subsets, seed)]
    radii = list[Radii]() if neighbours is None else [Radii(side, neighbours) for side in (made, others)]
    sweep(made, made, [*radii[:1], *(each.kernel.own for each in kernels)])
    sweep(others, others, [*radii[1:], *(each.kernel.reals for each in kernels)])
    balls = [Neighbourhoods(*radii)] if radii else []
    sweep(made, others, [*balls, *(each.kernel.across for each in kernels)])
    return AllPairs(kernels[0].distance if kernels else None, balls[0].found if balls else None)


def all_pairs(context: EvalContext) -> AllPairs:
    """What the groups of an evaluation need; for `EvalContext.cached`."""
    return compare(
        context.compared,
        context.reals.pairwise_features,
        context.seed,
        subsets_of(context) if "kid" in context.settings else None,
        neighbours_of(context) if MANIFOLDS & set(context.settings) else None,
    )


def manifolds_of(context: EvalContext) -> Manifolds:
    """The manifolds of both sides, for groups in MANIFOLDS."""
    found = context.cached(all_pairs).manifolds
    assert found is not None
    return found


def subsets_of(context: EvalContext) -> tuple[int, int]:
    """KID's number of subsets and their size as used: no more than the smaller side has."""
    settings, images = context.settings_of("kid", KIDSettings), (len(context.compared), len(context.reals.pairwise))
    size = max(2, min(settings.subset_size, *images))
    # Subsets that hold every image are all the same one.
    return 1 if size == max(images) else settings.subsets, size


def neighbours_of(context: EvalContext) -> int:
    """k as used: smaller than either side."""
    fewest = min(len(context.compared), len(context.reals.pairwise))
    return max(1, min(context.settings_of("prdc", PRDCSettings).neighbours, fewest - 1))
