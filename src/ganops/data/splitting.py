"""Train or test, decided by the content of each row, so that adding or removing one does not move the others."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from ganops.data.image_format import Pixels
from ganops.data.packed import RowIndices, Split

Hashes = NDArray[np.uint8]  # (N, 32): sha256 of each row's content
Labels = NDArray[np.int64]

LEAST_ROWS = 2  # of each split: a single row has no spread to be learnt or measured


def hash_images(images: Pixels) -> Hashes:
    """sha256 of the pixels of each image, for images (N, ...) that were not in files of their own."""
    digests = b"".join(hashlib.sha256(image.tobytes()).digest() for image in images)
    return np.frombuffer(digests, dtype=np.uint8).reshape(len(images), 32)


def split_by_hash(hashes: Hashes, test_share: float, labels: Labels | None = None) -> dict[Split, RowIndices]:
    """The rows of each split: test where the hash, read as a fraction of 1, is below `test_share`.

    Small data sets need exceptions: a class with two rows or more has at least one in each split, a class with one row
    has it in train, and each split has two rows where there are four. The order of the hashes decides these, too.
    """
    order = hash_order(hashes)
    is_test = (_leading(hashes) / 2.0**64 < test_share)[order]
    groups = np.zeros(len(order), dtype=np.int64) if labels is None else labels[order]
    for label in np.unique(groups) if labels is not None else ():
        members = np.flatnonzero(groups == label)
        if not is_test[members].any() and len(members) > 1:
            is_test[members[0]] = True
        if is_test[members].all():
            is_test[members[-1]] = False
    least = min(LEAST_ROWS, len(order) // 2)
    while is_test.sum() < least:
        is_test[_spare(~is_test, groups)[0]] = True
    while (~is_test).sum() < least:
        is_test[_spare(is_test, groups)[-1]] = False
    return {"train": order[~is_test], "test": order[is_test]}


def tied(hashes: Hashes, columns: Sequence[Sequence[Hashable]]) -> Hashes:
    """The hashes with one for all rows that have an equal value in a column, directly or by way of other rows.

    It is that of one of them, chosen by later bytes: a large group is as likely to be in the test as a small one.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count, edges = len(hashes), list[tuple[int, int]]()
    nodes: dict[tuple[int, Hashable], int] = {}
    for place, column in enumerate(columns):
        edges += [(row, count + nodes.setdefault((place, value), len(nodes))) for row, value in enumerate(column)]
    size = count + len(nodes)
    graph = coo_array((np.ones(len(edges)), np.array(edges, dtype=np.int64).reshape(-1, 2).T), shape=(size, size))
    group = connected_components(graph, directed=False)[1][:count]
    order = np.lexsort((_leading(hashes[:, 8:]), group))
    _, first, member = np.unique(group[order], return_index=True, return_inverse=True)
    leaders = np.empty(count, dtype=np.int64)
    leaders[order] = order[first][member]
    return hashes[leaders]


def hash_order(hashes: Hashes) -> RowIndices:
    """All rows in the order of their hashes: whatever the files are called, the first n are a fair sample of all."""
    return np.argsort(_leading(hashes), kind="stable").astype(np.int64)


def _spare(inside: NDArray[np.bool_], groups: Labels) -> RowIndices:
    """The rows of a split that another one can be given: those whose class keeps a row, or else any."""
    rows = np.flatnonzero(inside)
    labels, counts = np.unique(groups[rows], return_counts=True)
    spare = rows[np.isin(groups[rows], labels[counts > 1])]
    return spare if len(spare) else rows


def _leading(hashes: Hashes) -> NDArray[np.uint64]:
    return np.ascontiguousarray(hashes[:, :8]).view(">u8").reshape(-1)
