"""Each image's own content decides in which split it is: stable, fair, and independent of all other images."""

from __future__ import annotations

import numpy as np
import pytest

from ganops.data.splitting import Hashes, hash_images, hash_order, split_by_hash, tied


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


@pytest.mark.parametrize("count", [4, 5, 8])
@pytest.mark.parametrize("share", [0.01, 0.89])
def test_small_data_have_two_rows_in_each_split(count: int, share: float) -> None:
    rows = split_by_hash(hashes(count), share)
    assert min(len(rows["train"]), len(rows["test"])) == 2
    assert sorted([*rows["train"], *rows["test"]]) == list(range(count))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_very_few_rows_are_shared_as_well_as_can_be(count: int) -> None:
    rows = split_by_hash(hashes(count), 0.2)
    assert sorted([*rows["train"], *rows["test"]]) == list(range(count))
    assert min(len(rows["train"]), len(rows["test"])) == count // 2


def test_the_lowest_hashes_become_the_test_where_the_minimum_decides() -> None:
    some = hashes(8)
    assert split_by_hash(some, 1e-9)["test"].tolist() == hash_order(some)[:2].tolist()


@pytest.mark.parametrize("share", [0.01, 0.2, 0.89])
def test_each_class_has_a_row_in_each_split_and_a_single_one_in_train(share: float) -> None:
    labels = np.repeat(np.arange(20), [1, 2, 3, 4, 50] * 4)
    rows = split_by_hash(hashes(len(labels)), share, labels)
    train, test = (np.bincount(labels[rows[split]], minlength=20) for split in ("train", "test"))
    assert (train > 0).all()
    assert ((test > 0) == (np.bincount(labels) > 1)).all()


def test_classes_move_only_what_they_must() -> None:
    some, labels = hashes(1000), np.arange(1000) % 3
    with_classes, without = split_by_hash(some, 0.2, labels), split_by_hash(some, 0.2)
    assert (with_classes["test"] == without["test"]).all()


def test_many_single_classes_keep_a_row_in_train_each() -> None:
    labels = np.array([0, 0, 0, 0, 1, 2])
    rows = split_by_hash(hashes(6), 0.01, labels)
    assert labels[rows["test"]].tolist() == [0, 0]


def test_rows_that_share_a_value_are_tied_also_by_way_of_others() -> None:
    some = hashes(6)
    found = tied(some, ["aabcde", "012233"])
    groups = [[tuple(row) for row in found[list(each)]] for each in ((0, 1), (2, 3), (4, 5))]
    assert [len(set(group)) for group in groups] == [1, 1, 1]
    assert len({group[0] for group in groups}) == 3
    assert (tied(some, ["abcdef", "012345"]) == some).all()


def test_groups_of_all_sizes_are_in_the_test_alike() -> None:
    # 400 groups of ten rows: 80 of them are expected in the test, with a standard deviation of 8; five of these.
    groups = np.arange(4000) % 400
    test = split_by_hash(tied(hashes(4000), [groups.tolist()]), 0.2)["test"]
    assert len(test) == 10 * len(set(groups[test]))
    assert abs(len(test) - 800) < 400
