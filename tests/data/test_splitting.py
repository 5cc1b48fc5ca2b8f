"""Each image's own content decides in which split it is: stable, fair, and independent of all other images."""

from __future__ import annotations

import numpy as np

from ganops.data.splitting import Hashes, hash_images, hash_order, split_by_hash


def hashes(count: int, seed: int = 0) -> Hashes:
    return hash_images(np.random.default_rng(seed).integers(0, 256, (count, 1, 4, 4), dtype=np.uint8))


def test_each_row_is_in_exactly_one_split() -> None:
    rows = split_by_hash(hashes(1000), 0.2)
    assert sorted([*rows["train"], *rows["test"]]) == list(range(1000))


def test_the_share_is_kept_nearly() -> None:
    # The count is binomial: 2000 of 10,000 with a standard deviation of 40; five of these.
    assert abs(len(split_by_hash(hashes(10_000), 0.2)["test"]) - 2000) < 200


def test_adding_images_never_moves_another() -> None:
    few, more = hashes(500), np.concatenate([hashes(300, seed=1), hashes(500), hashes(300, seed=2)])
    before = set(split_by_hash(few, 0.2)["test"])
    after = set(split_by_hash(more, 0.2)["test"])
    assert before == {row - 300 for row in after if 300 <= row < 800}


def test_a_larger_share_only_adds_to_the_test_split() -> None:
    few, more = (set(split_by_hash(hashes(1000), share)["test"]) for share in (0.1, 0.3))
    assert few < more


def test_the_order_does_not_depend_on_the_order_of_the_input() -> None:
    some = hashes(100)
    shuffled = np.random.default_rng(1).permutation(100)
    assert (some[hash_order(some)] == some[shuffled][hash_order(some[shuffled])]).all()
