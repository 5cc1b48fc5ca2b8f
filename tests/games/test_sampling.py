"""Samples depend on the seed and the row alone; labels follow the data's shares, other inputs the data themselves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playing import DIGITS, spec_of
from torch import Tensor, nn

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import DataError, SettingsError
from ganops.games.game import Game, Losses
from ganops.games.sampling import (
    Drawn,
    HeldOut,
    class_sequence,
    draw_classes,
    draw_inputs,
    draw_latents,
    rows_at_once,
    sample,
    sample_outputs,
)
from ganops.games.task import Task

IMAGE = ImageField(channels=1, size=2)
LATENTS = {"z": VectorField(size=3), "u": VectorField(size=1)}
TRANSLATE = Task(inputs={"source": IMAGE}, outputs={"image": IMAGE}, paired=True)


class Painter(Game):
    """Paints each image in one grey: its first latent, or a tenth of its label."""

    def __init__(self, classes: tuple[str, ...] = (), shares: tuple[float, ...] = ()) -> None:
        super().__init__()
        self.players, self.ema_networks = {}, ()
        inputs = {"label": CategoryField(classes=classes, shares=shares)} if classes else {}
        self.tasks = {"generate": Task(outputs={"image": IMAGE}, inputs=inputs, latents={"z": VectorField(size=3)})}
        self.weight, self.dropout = nn.Parameter(torch.ones(())), nn.Dropout()

    def losses(self, player: str, batch: Rows, step: int, micro_batch: int = 0) -> Losses:
        raise NotImplementedError

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        assert not self.training
        assert not self.dropout.training
        shade = inputs["label"] / 10 if "label" in inputs else inputs["z"][:, 0]
        return Rows({"image": self.weight * shade.clamp(-1, 1)[:, None, None, None].expand(-1, 1, 2, 2)})


def images(game: Game, count: int, seed: int = 3, **options: Any) -> Tensor:
    return sample_outputs(game, count, seed, **options)["image"]


def held_out(count: int = 5, sigma: float = 0.5) -> HeldOut:
    """Images of one level each; their noisy form is derived."""
    levels = (torch.arange(count) * 20 + 60).to(torch.uint8)
    spec = spec_of(1, 2).model_copy(update={"derived": {"source": {"kind": "noise", "of": "image", "sigma": sigma}}})
    return HeldOut(Rows({"image": levels[:, None, None, None].repeat(1, 1, 2, 2)}), spec)


def together(drawn: list[Drawn]) -> tuple[Tensor, Tensor]:
    """All sources and truths of a translation."""
    sources = torch.cat([each.inputs["source"] for each in drawn if each.inputs is not None])
    return sources, torch.cat([each.truth["image"] for each in drawn if each.truth is not None])


@pytest.mark.parametrize("batch_size", [1, 7, 256, 300, 1000])
def test_batch_size_does_not_change_samples(batch_size: int) -> None:
    assert torch.equal(images(Painter(), 600, batch_size=batch_size), images(Painter(), 600))


def test_count_does_not_change_the_first_rows() -> None:
    assert torch.equal(images(Painter(), 300)[:77], images(Painter(), 77))
    many, few = draw_latents(LATENTS, 300, seed=3), draw_latents(LATENTS, 77, seed=3)
    assert many is not None
    assert few is not None
    assert {name: tuple(column.shape) for name, column in few.items()} == {"z": (77, 3), "u": (77, 1)}
    assert all(torch.equal(many[name][:77], few[name]) for name in LATENTS)
    assert draw_latents({}, 3, seed=0) is None


def test_all_seeds_and_all_chunks_differ() -> None:
    seeds = [*range(200), *(1 << shift for shift in range(8, 31)), 2**31 - 1]
    drawn = [rows["z"] for rows in (draw_latents(LATENTS, 512, seed=seed) for seed in seeds) if rows is not None]
    assert len({float(latents[start, 0]) for latents in drawn for start in (0, 256)}) == 2 * len(seeds)


def test_sampling_does_not_touch_torchs_own_random_numbers() -> None:
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    images(Painter(), 10)
    list(draw_inputs(TRANSLATE, 10, 0, held_out=held_out()))
    assert torch.equal(torch.randn(3), expected)


def test_classes_come_in_turn_unless_labels_are_given() -> None:
    game = Painter(DIGITS[:3])
    greys = images(game, 6)[:, 0, 0, 0]
    assert torch.equal(greys[:3].sort().values, IMAGE.to_storage(torch.tensor([0.0, 0.1, 0.2])))
    assert torch.equal(greys[:3], greys[3:])
    chosen = images(game, 2, given={"label": torch.tensor([2, 2])})[:, 0, 0, 0]
    assert torch.equal(chosen, IMAGE.to_storage(torch.tensor([0.2, 0.2])))


def test_single_rows_of_many_seeds_follow_the_shares_too() -> None:
    """A client that asks for one image at a time, each from another seed, does not get one class for ever."""
    field = CategoryField(classes=("a", "b"), shares=(0.9, 0.1))
    first = torch.cat([draw_classes(field, 1, seed) for seed in range(400)])
    assert 20 < int(first.sum()) < 60
    assert torch.equal(draw_classes(field, 300, 5)[:7], draw_classes(field, 7, 5))


def test_classes_follow_the_shares_of_the_data() -> None:
    batches = list(sample(Painter(("a", "b"), (0.9, 0.1)), 100, 0))
    labels = torch.cat([batch.inputs["label"] for batch in batches if batch.inputs is not None])
    assert labels.bincount().tolist() == [90, 10]


@pytest.mark.parametrize("shares", [(0.9, 0.1), (0.5, 0.3, 0.2), (0.0, 1.0), (0.62, 0.21, 0.1, 0.07)])
def test_a_class_sequence_keeps_shares_from_its_beginning(shares: tuple[float, ...]) -> None:
    whole = class_sequence(shares, 1000)
    for count in (1, 10, 50, 137, 1000):
        assert torch.equal(class_sequence(shares, count), whole[:count])
        found = whole[:count].bincount(minlength=len(shares))
        assert (found - torch.tensor(shares) * count).abs().max() < 1.5
    assert class_sequence(3, 7).tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_modules_are_put_back_into_their_own_modes() -> None:
    game = Painter().train()
    game.dropout.eval()  # as a frozen part is while the others train
    images(game, 2)
    assert game.training
    assert not game.dropout.training


@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_sources_come_from_the_data_in_order_and_start_again(batch_size: int) -> None:
    sources, truth = together(list(draw_inputs(TRANSLATE, 300, 0, held_out=held_out(), batch_size=batch_size)))
    assert torch.equal(truth, held_out().rows["image"][torch.arange(300) % 5])
    assert torch.equal(sources, together(list(draw_inputs(TRANSLATE, 300, 0, held_out=held_out())))[0])
    noise = IMAGE.to_model(sources) - IMAGE.to_model(truth)
    assert noise.std().item() == pytest.approx(0.5, rel=0.15)  # less where levels are clipped
    assert not torch.equal(sources[0], sources[5]), "the same image again has noise of its own"


def test_networks_see_inputs_as_they_are_stored() -> None:
    (drawn,) = draw_inputs(TRANSLATE, 4, 0, held_out=held_out())
    assert drawn.inputs is not None
    assert torch.equal(drawn.modelled["source"], IMAGE.to_model(drawn.inputs["source"]))


def test_given_sources_need_no_data_and_have_no_truth() -> None:
    source = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    (drawn,) = draw_inputs(TRANSLATE, 3, 0, given={"source": source})
    assert drawn.truth is None
    assert torch.equal(drawn.modelled["source"], torch.full((3, 1, 2, 2), -1.0))


@pytest.mark.parametrize("data", [None, HeldOut(Rows({"image": torch.zeros(1, 1, 2, 2).byte()}), spec_of(1, 2))])
def test_an_input_that_comes_from_nowhere_is_named(data: HeldOut | None) -> None:
    with pytest.raises(DataError) as caught:
        next(draw_inputs(TRANSLATE, 3, 0, held_out=data))
    assert caught.value.code == "inputs-missing"
    assert caught.value.expected.startswith("source")


def test_vectors_are_stored_as_they_are_modelled() -> None:
    spec = DataSpec(fields={"vector": VectorField(size=2)})
    task = Task(inputs={"vector": VectorField(size=2)}, outputs={"vector": VectorField(size=2)})
    rows = Rows({"vector": torch.randn(4, 2)})
    (drawn,) = draw_inputs(task, 4, 0, held_out=HeldOut(rows, spec))
    assert torch.equal(drawn.modelled["vector"], rows["vector"])
    assert drawn.truth is None


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        images(Painter(), 1, task="generat")
    assert (caught.value.code, caught.value.found) == ("unknown-task", "generat")


def test_large_images_are_generated_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [rows_at_once(Task(outputs={"image": ImageField(channels=3, size=size)})) for size in (8, 128, 256, 1024)]
    assert counts == [65_536, 256, 64, 4]
    assert rows_at_once(Task(outputs={"vector": VectorField(size=2)})) > 10_000
    monkeypatch.setattr("ganops.games.sampling.PIXELS_AT_ONCE", 3 * 2 * 2)
    assert [len(batch.outputs) for batch in sample(Painter(), 7, 0)] == [3, 3, 1]
