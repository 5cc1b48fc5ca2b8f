"""The stream of batches promises: every image once an epoch, a function of seed and index, floats in [-1, 1]."""

from __future__ import annotations

import torch
from tiny_training import digits

from ganops.training.batches import Batches, Order, ResidentRows, StreamedRows

CPU = torch.device("cpu")


def test_every_row_comes_once_an_epoch_and_batches_run_across_the_seam() -> None:
    order = Order(count=10, batch_size=4, seed=0)
    stream = torch.cat([order.rows(index) for index in range(5)])
    assert sorted(stream[:10].tolist()) == list(range(10))
    assert sorted(stream[10:20].tolist()) == list(range(10))
    assert stream[:10].tolist() != stream[10:].tolist()


def test_a_batch_larger_than_the_data_is_filled_from_several_epochs() -> None:
    rows = Order(count=3, batch_size=8, seed=0).rows(0)
    assert len(rows) == 8
    assert set(rows.tolist()) == {0, 1, 2}


def test_any_batch_can_be_asked_for_in_any_order() -> None:
    forward, backward = Order(10, 4, seed=3), Order(10, 4, seed=3)
    ahead = [forward.rows(index) for index in range(6)]
    behind = [backward.rows(index) for index in reversed(range(6))]
    assert all(torch.equal(a, b) for a, b in zip(ahead, reversed(behind), strict=True))


def test_images_are_floats_in_channels_last_and_keep_their_labels() -> None:
    data = digits()
    batch = Batches(data, CPU, batch_size=32, seed=0).part(0)
    rows = Order(len(data), 32, seed=0).rows(0)
    assert batch.images.min() >= -1
    assert batch.images.max() <= 1
    # Half a grey level, in units of [-1, 1].
    assert torch.allclose(batch.images, data.images[rows].float() / 127.5 - 1, atol=0.5 / 127.5)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert batch.labels is not None
    assert data.labels is not None
    assert torch.equal(batch.labels, data.labels[rows])


def test_parts_make_up_the_batch() -> None:
    whole, halves = Batches(digits(), CPU, 16, 0), Batches(digits(), CPU, 16, 0, parts=2)
    assert torch.equal(whole.part(3).images, torch.cat([halves.part(3, 0).images, halves.part(3, 1).images]))


def test_half_of_the_images_are_mirrored_and_none_otherwise_changed() -> None:
    plain, flipped = (Batches(digits(), CPU, 256, 0, flip=flip).part(0).images for flip in (False, True))
    same = (plain == flipped).flatten(1).all(1)
    mirrored = (plain.flip(3) == flipped).flatten(1).all(1)
    assert (same | mirrored).all()
    assert 80 < int((mirrored & ~same).sum()) < 176  # 256 coins: six standard deviations either way


def test_streamed_and_resident_rows_give_the_same() -> None:
    resident, streamed = ResidentRows(digits(), CPU), StreamedRows(digits(), CPU)
    order = Order(256, 32, seed=1)
    for index in (0, 1, 2, 7, 3):
        rows, upcoming = order.rows(index), order.rows(index + 1)
        for one, other in zip(resident.take(rows, upcoming), streamed.take(rows, upcoming), strict=True):
            assert one is not None
            assert other is not None
            assert torch.equal(one, other)
