"""The stream of batches: every row once an epoch, a function of seed and index, modelled by the fields."""

from __future__ import annotations

import torch
from tiny_training import SPEC, digits
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.training.batches import Batches, ResidentRows, ShuffledSampler, StreamedRows, TrainingData

CPU = torch.device("cpu")


@DERIVATIONS.add("negative-of-test")
class Negative(Derivation):
    """The image with its sign changed, and noise far below a grey level."""

    def field(self, source: Field) -> Field:
        return source

    def derive(self, modelled: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return -modelled + 1e-6 * torch.randn(modelled.shape, generator=generator)


def data(spec: DataSpec = SPEC) -> TrainingData:
    return TrainingData((digits(),), SPEC.fields, spec)


def test_every_row_comes_once_an_epoch_and_batches_run_across_the_boundary() -> None:
    sampler = ShuffledSampler(count=10, batch_size=4, seed=0)
    stream = torch.cat([sampler.rows(index) for index in range(5)])
    assert sorted(stream[:10].tolist()) == list(range(10))
    assert sorted(stream[10:20].tolist()) == list(range(10))
    assert stream[:10].tolist() != stream[10:].tolist()


def test_a_batch_larger_than_the_data_is_filled_from_several_epochs() -> None:
    rows = ShuffledSampler(count=3, batch_size=8, seed=0).rows(0)
    assert len(rows) == 8
    assert set(rows.tolist()) == {0, 1, 2}


def test_any_batch_can_be_asked_for_in_any_order() -> None:
    forward, backward = ShuffledSampler(10, 4, seed=3), ShuffledSampler(10, 4, seed=3)
    ahead = [forward.rows(index) for index in range(6)]
    behind = [backward.rows(index) for index in reversed(range(6))]
    assert all(torch.equal(a, b) for a, b in zip(ahead, reversed(behind), strict=True))


def test_images_are_floats_in_channels_last_and_keep_their_labels() -> None:
    batch = Batches(data(), CPU, batch_size=32, seed=0).micro_batch(0)
    rows = ShuffledSampler(256, 32, seed=0).rows(0)
    assert torch.equal(batch["image"], SPEC.fields["image"].to_model(digits()["image"][rows]))
    assert batch["image"].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(batch["label"], digits()["label"][rows])


def test_micro_batches_make_up_the_batch() -> None:
    whole, halves = Batches(data(), CPU, 16, 0), Batches(data(), CPU, 16, 0, micro_batches=2)
    both = [halves.micro_batch(3, part)["image"] for part in range(2)]
    assert torch.equal(whole.micro_batch(3)["image"], torch.cat(both))


def test_half_of_the_images_are_mirrored_and_labels_are_not_changed() -> None:
    plain, flipped = (Batches(data(), CPU, 256, 0, flip=flip).micro_batch(0) for flip in (False, True))
    same = (plain["image"] == flipped["image"]).flatten(1).all(1)
    mirrored = (plain["image"].flip(3) == flipped["image"]).flatten(1).all(1)
    assert (same | mirrored).all()
    assert 80 < int((mirrored & ~same).sum()) < 176  # 256 coins: six standard deviations either way
    assert torch.equal(plain["label"], flipped["label"])


def test_all_fields_of_a_row_are_mirrored_alike_and_derived_ones_follow() -> None:
    """A second image column equal to the first one, and a derived column."""
    images = digits()["image"]
    fields = {"image": SPEC.fields["image"], "again": SPEC.fields["image"]}
    spec = DataSpec(fields=fields, derived={"negative": {"kind": "negative-of-test"}})
    pair = TrainingData((Rows({"image": images, "again": images}),), fields, spec)
    batch = Batches(pair, CPU, 64, 0, flip=True).micro_batch(0)
    assert torch.equal(batch["image"], batch["again"])
    torch.testing.assert_close(batch["negative"], -batch["image"], atol=1e-4, rtol=0)
    later = Batches(pair, CPU, 256, 0, flip=True)
    assert not torch.equal(later.micro_batch(0)["negative"], later.micro_batch(0)["negative"]), "fresh noise each time"


def test_another_image_size_is_converted_batch_by_batch() -> None:
    field = ImageField(channels=3, size=12)
    batch = Batches(data(SPEC.with_fields({"image": field})), CPU, 8, 0).micro_batch(0)
    rows = ShuffledSampler(256, 8, 0).rows(0)
    stored = SPEC.fields["image"].convert(digits()["image"][rows], field)
    assert torch.equal(batch["image"], field.to_model(stored))


def test_streamed_and_resident_rows_are_the_same() -> None:
    resident, streamed = ResidentRows(digits(), CPU), StreamedRows(digits(), CPU)
    sampler = ShuffledSampler(256, 32, seed=1)
    for index in (0, 1, 2, 7, 3):
        rows, upcoming = sampler.rows(index), sampler.rows(index + 1)
        one, other = resident.gather(rows, upcoming), streamed.gather(rows, upcoming)
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_prefetching_hits_with_several_micro_batches_and_processes() -> None:
    """All but the first are read ahead: this process computes the second half of four micro-batches."""
    batches = Batches(data(), CPU, 16, 0, micro_batches=4, here=range(2, 4))
    batches.streams[0].source = streamed = StreamedRows(digits(), CPU)
    for index in range(5):
        for micro_batch in (2, 3):
            batches.micro_batch(index, micro_batch)
    assert streamed.hits == 9


def test_each_domain_has_an_order_and_a_length_of_its_own() -> None:
    field = ImageField(channels=1, size=8)
    spec = DataSpec(fields={"A": field, "B": field}, paired=False)
    ramps = [torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8) for count in (6, 4)]
    data = TrainingData((Rows({"A": ramps[0]}), Rows({"B": ramps[1]})), spec.fields, spec)
    batches = [Batches(data, CPU, 4, seed=0).micro_batch(index) for index in range(3)]
    seen = {name: torch.cat([field.to_storage(batch[name])[:, 0, 0, 0] for batch in batches]) for name in "AB"}
    assert sorted(seen["A"].tolist()) == sorted([*range(6), *range(6)])
    assert sorted(seen["B"].tolist()) == sorted([*range(4)] * 3)
    assert seen["A"][:4].tolist() != seen["B"][:4].tolist()
