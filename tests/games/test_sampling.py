"""Images depend on the seed and nothing else; bytes and floats turn into each other without loss."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganops.games.game import Batch, Game, Losses, Request
from ganops.games.sampling import draw_latents, sample_images, to_float, to_uint8


class Painter(Game):
    """Paints each image in one grey that is its first latent, or its label's share of 10."""

    def __init__(self, class_count: int = 0) -> None:
        super().__init__()
        self.players, self.ema_networks, self.latent_dim, self.class_count = {}, (), 3, class_count
        self.weight = torch.nn.Parameter(torch.ones(()))

    def losses(self, player: str, batch: Batch, step: int) -> Losses:
        raise NotImplementedError

    def generate(self, request: Request) -> Tensor:
        shade = request.latents[:, 0] if request.labels is None else request.labels / 10
        return self.weight * shade.clamp(-1, 1)[:, None, None, None].expand(-1, 1, 2, 2)


def all_samples(game: Game, count: int, **options: int) -> Tensor:
    return torch.cat(list(sample_images(game, count, **options)))


@pytest.mark.parametrize("batch_size", [1, 7, 256, 300, 1000])
def test_batch_size_changes_nothing(batch_size: int) -> None:
    game = Painter()
    assert torch.equal(all_samples(game, 600, seed=3, batch_size=batch_size), all_samples(game, 600, seed=3))


def test_count_changes_nothing_but_the_number() -> None:
    game = Painter()
    assert torch.equal(all_samples(game, 300, seed=3)[:77], all_samples(game, 77, seed=3))
    assert torch.equal(draw_latents(300, 3, seed=3)[:77], draw_latents(77, 3, seed=3))
    assert draw_latents(0, 3, seed=0).shape == (0, 3)


def test_seeds_differ_and_chunks_differ() -> None:
    assert not torch.equal(draw_latents(9, 3, seed=0), draw_latents(9, 3, seed=1))
    latents = draw_latents(512, 3, seed=0)
    assert not torch.equal(latents[:256], latents[256:])


def test_sampling_leaves_torchs_own_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    all_samples(Painter(), 10, seed=5)
    assert torch.equal(torch.randn(3), expected)


def test_classes_come_in_turn_unless_labels_are_given() -> None:
    game = Painter(class_count=3)
    greys = all_samples(game, 5, seed=0)[:, 0, 0, 0]
    assert torch.equal(greys, to_uint8(torch.tensor([0.0, 0.1, 0.2, 0.0, 0.1])))
    chosen = torch.cat(list(sample_images(game, 2, seed=0, labels=torch.tensor([2, 2]))))[:, 0, 0, 0]
    assert torch.equal(chosen, to_uint8(torch.tensor([0.2, 0.2])))


def test_game_is_put_back_into_its_mode() -> None:
    game = Painter().train()
    all_samples(game, 2, seed=0)
    assert game.training


def test_every_byte_survives_the_way_to_float_and_back() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(to_float(levels)), levels)
    assert to_float(levels).min() == -1
    assert to_float(levels).max() == 1


def test_values_outside_the_range_are_clipped() -> None:
    assert to_uint8(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]
