"""Tiles: what they cover, that they leave no seam, and how much of a picture is in memory."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_sample_image
from torch import Tensor, nn

from ganops.applying.tiles import Tiling, translate_in_tiles
from ganops.errors import SettingsError


@pytest.fixture(scope="module")
def photo() -> Tensor:
    """Part of a photo, (3, 128, 192) in [-1, 1]."""
    return torch.from_numpy(load_sample_image("china.jpg")[60:188, 200:392].copy()).permute(2, 0, 1) / 127.5 - 1


def whole(tiling: Tiling, picture: Tensor, translate: nn.Module) -> Tensor:
    """The target in one piece."""
    height, width = picture.shape[1:]
    with torch.no_grad():
        strips = translate_in_tiles(tiling, height, width, lambda start, end: picture[:, start:end], translate, 5)
        return torch.cat(list(strips), dim=1)


@pytest.mark.parametrize("length", [5, 16, 17, 20, 31, 64, 1000])
@pytest.mark.parametrize("overlap", [0, 3, 8, 15])
def test_tiles_cover_a_side_and_their_weights_sum_to_one(length: int, overlap: int) -> None:
    tiling = Tiling(16, overlap, scale=2)
    starts, weights = tiling.starts(length), tiling.weights(length)
    assert starts[0] == 0
    assert starts[-1] + 16 == max(length, 16)
    assert all(after - before <= 16 - overlap for before, after in pairwise(starts))
    total = torch.zeros(2 * max(length, 16))
    for start, weight in zip(starts, weights, strict=True):
        assert float(weight.min()) >= 0
        total[2 * start : 2 * start + 32] += weight
    torch.testing.assert_close(total, torch.ones_like(total))


def test_pixels_near_an_inner_edge_of_a_tile_do_not_count() -> None:
    first, last = Tiling(16, 8).weights(24)
    assert first.tolist()[:8] == [1] * 8  # at the picture's own edge all count
    assert first.tolist()[-2:] == [0, 0]  # a quarter of the overlap
    assert last.tolist() == first.flip(0).tolist()


class Local(nn.Module):
    """A network that sees `reach` pixels around each, and enlarges twice."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv2d(3, 12, 2 * reach + 1, padding=reach)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 3, 2 H, 2 W)."""
        return F.pixel_shuffle(self.convolution(images), 2)


def test_a_network_that_sees_less_than_the_margin_gives_exactly_the_untiled_picture(photo: Tensor) -> None:
    network = Local(reach=4)
    with torch.no_grad():
        expected = network(photo[None])[0]
    torch.testing.assert_close(whole(Tiling(32, 16, scale=2), photo, network), expected, atol=1e-5, rtol=0)
    # It can fail: with a smaller margin the padding of the tiles shows.
    assert (whole(Tiling(32, 8, scale=2), photo, network) - expected).abs().max() > 1e-2


def step_at_edges(target: Tensor, tiling: Tiling) -> float:
    """How much more the columns at the edges of tiles differ from their neighbours than columns elsewhere do."""
    steps = (target[:, :, 1:] - target[:, :, :-1]).abs().mean(dim=(0, 1))
    starts = tiling.starts(target.shape[2])
    edges = {*starts[1:], *(start + tiling.tile for start in starts[:-1])}
    at_edges = torch.tensor([place + 1 in edges for place in range(len(steps))])
    return float(steps[at_edges].mean() / steps[~at_edges].mean())


def test_networks_that_normalise_each_tile_leave_no_seam(photo: Tensor) -> None:
    """An instance norm sees the contrast of its tile alone, so neighbours differ: they must fade into each other."""
    network, seamless, apart = nn.InstanceNorm2d(3), Tiling(32, 16), Tiling(32, 0)
    assert step_at_edges(whole(apart, photo, network), apart) > 3
    assert step_at_edges(whole(seamless, photo, network), seamless) < 1.2


@pytest.mark.parametrize(("height", "width"), [(5, 70), (70, 5), (3, 3), (1, 1)])
def test_a_picture_smaller_than_a_tile_is_mirrored(height: int, width: int, photo: Tensor) -> None:
    small = photo[:, :height, :width]
    found = whole(Tiling(32, 16), small, nn.Identity())
    torch.testing.assert_close(found, small)


def test_one_row_of_tiles_is_in_memory() -> None:
    """However high a picture is: a strip reads as many rows as a tile is high, when it is its turn."""
    reads = list[tuple[int, int]]()

    def read(start: int, end: int) -> Tensor:
        reads.append((start, end))
        return torch.zeros(1, 1, 1).expand(1, end - start, 50)

    strips = translate_in_tiles(Tiling(32, 16), 20_000, 50, read, nn.Identity())
    for number in range(1, 4):
        assert next(strips).shape == (1, 16, 50)
        assert len(reads) == number
    assert {end - start for start, end in reads} == {32}


def test_tiles_that_overlap_wholly_are_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        Tiling(32, 32)
    assert caught.value.code == "bad-overlap"
